// Nearest names by edit distance; the distance allowed grows with the length of the name. Excerpts.
#include "tercet/Spelling.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace tercet {
namespace {

constexpr size_t longestName = 64; // longer input is no slip of a known name

/// Optimal string alignment: insertions, deletions, replacements and swaps of neighbours each count one. Letters swapped
/// by fast fingers are the commonest slip, and two edits without the last rule.
size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> twoBack, previous(b.size() + 1), row(b.size() + 1);
  std::iota(previous.begin(), previous.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({previous[j - 1] + (a[i - 1] != b[j - 1]), previous[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], twoBack[j - 2] + 1);
    }
    twoBack = previous;
    previous = row;
  }
  return previous.back();
}

bool isControl(char c) { return (c >= 0 && c < ' ') || c == 0x7f; }

} // namespace

std::string nearestName(std::string_view name, const std::vector<std::string> &candidates) {
  if (name.size() > longestName)
    return {};
  std::string best;
  size_t bestDistance = std::max<size_t>(1, name.size() / 3) + 1;
  for (const std::string &candidate : candidates) {
    size_t distance = editDistance(name, candidate);
    if (distance < bestDistance) {
      bestDistance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string suggestion(std::string_view name, const std::vector<std::string> &candidates) {
  std::string nearest = nearestName(name, candidates);
  return nearest.empty() ? std::string() : fmt::format("; did you mean '{}'?", nearest);
}

std::string excerpt(std::string_view text, size_t limit) {
  std::string shown(text.substr(0, limit));
  std::replace_if(shown.begin(), shown.end(), isControl, '?');
  return shown;
}

bool hasControlCharacter(std::string_view text) { return std::any_of(text.begin(), text.end(), isControl); }

} // namespace tercet
