// Spaces have at most some thousands of candidates, each of which takes a compilation: a scan per choice is nothing.
#include "Explorer.h"

#include <map>
#include <tuple>

namespace tercet::tune {

Explorer::Explorer(const Space &space, std::vector<size_t> named)
    : first(named.rbegin(), named.rend()), tried(space.candidates.size(), false) {
  std::map<std::pair<std::string, std::string>, int> numbers; // of a knob's value
  std::map<std::string, size_t> places;                       // of a knob
  for (const Candidate &candidate : space.candidates) {
    predicted.push_back(candidate.predicted);
    for (const auto &[name, value] : candidate.knobs)
      places.try_emplace(name, places.size());
  }
  for (const Candidate &candidate : space.candidates) {
    std::vector<int> &own = values.emplace_back(places.size(), -1);
    for (const auto &knob : candidate.knobs)
      own[places[knob.first]] = numbers.try_emplace(knob, static_cast<int>(numbers.size())).first->second;
  }
  if (!tried.empty())
    tried.front() = true; // the default is where everything starts
}

int64_t Explorer::distance(size_t a, size_t b) const {
  int64_t different = 0;
  for (size_t knob = 0; knob < values[a].size(); ++knob)
    different += values[a][knob] != values[b][knob];
  return different;
}

std::optional<size_t> Explorer::next(size_t best) {
  while (!first.empty()) {
    size_t candidate = first.back();
    first.pop_back();
    if (candidate >= tried.size() || tried[candidate])
      continue;
    tried[candidate] = true;
    return candidate;
  }
  std::optional<size_t> chosen;
  auto rank = [&](size_t i) { return std::tuple(isModelsTurn ? 0 : distance(i, best), predicted[i], i); };
  for (size_t i = 0; i < tried.size(); ++i)
    if (!tried[i] && (!chosen || rank(i) < rank(*chosen)))
      chosen = i;
  if (chosen)
    tried[*chosen] = true;
  isModelsTurn = !isModelsTurn;
  return chosen;
}

} // namespace tercet::tune
