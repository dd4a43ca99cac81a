// Which schedules are tried: see the header.
#include "CpuSpace.h"

using namespace tercet;
using namespace tercet::compiler;

namespace {

class SpaceWriter {
public:
  SpaceWriter(const Program &program, CpuLevel level, const ExpectedCall &call, int threads)
      : program(program), base(chooseCpuSchedule(program, level)), call(call), threads(threads) {
    for (const CpuKnob &knob : cpuKnobs())
      if (knob.applies(program))
        knobs.push_back(&knob);
  }

  CpuSpace write(size_t most) {
    std::vector<RankedCpuSchedule> pairs;
    for (size_t i = 0; i < knobs.size(); ++i)
      for (int64_t value : knobs[i]->tried) {
        if (value == valueOf(base, *knobs[i]))
          continue;
        CpuSchedule one = with(program, base, *knobs[i], value);
        if (const CpuRule *rule = brokenRule(program, one))
          space.pruned.push_back(fmt::format("{}={}: {}: {}", knobs[i]->name, value, rule->name, rule->says));
        else
          space.candidates.push_back(ranked(one));
        // What one knob makes illegal another may make legal again.
        for (size_t j = i + 1; j < knobs.size(); ++j)
          for (int64_t other : knobs[j]->tried) {
            CpuSchedule two = with(program, one, *knobs[j], other);
            if (other != valueOf(base, *knobs[j]) && !brokenRule(program, two))
              pairs.push_back(ranked(two));
          }
      }
    sort(pairs);
    size_t room = most > space.candidates.size() + 1 ? most - space.candidates.size() - 1 : 0;
    if (pairs.size() > room) {
      space.pruned.push_back(
          fmt::format("{} pairs of knobs: most-predicted: the model expects more of them than of {} others",
                      pairs.size() - room, most));
      pairs.resize(room);
    }
    space.candidates.insert(space.candidates.end(), pairs.begin(), pairs.end());
    sort(space.candidates);
    space.candidates.insert(space.candidates.begin(), ranked(base));
    return std::move(space);
  }

private:
  RankedCpuSchedule ranked(const CpuSchedule &schedule) const {
    return {schedule, predictedMs(program, schedule, call, threads)};
  }

  static void sort(std::vector<RankedCpuSchedule> &list) {
    std::stable_sort(list.begin(), list.end(),
                     [](const RankedCpuSchedule &a, const RankedCpuSchedule &b) { return a.predicted < b.predicted; });
  }

  const Program &program;
  CpuSchedule base;
  const ExpectedCall &call;
  int threads;
  llvm::SmallVector<const CpuKnob *> knobs;
  CpuSpace space;
};

} // namespace

CpuSpace compiler::cpuSpace(const Program &program, CpuLevel level, const ExpectedCall &call, int threads,
                            size_t most) {
  return SpaceWriter(program, level, call, threads).write(most);
}
