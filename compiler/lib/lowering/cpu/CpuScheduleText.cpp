// CPU schedules as text: "cpu v4 super_row=256 key_tile=64 ..".
#include "CpuKnobs.h"

#include "tercet/Spelling.h"

#include <charconv>
#include <fmt/ranges.h>

using namespace tercet;
using namespace tercet::compiler;

namespace {

class ScheduleReader {
public:
  ScheduleReader(const Program &program, CpuLevel level)
      : program(program), schedule(chooseCpuSchedule(program, level)) {}

  Result<CpuSchedule> read(std::string_view text) {
    std::vector<std::string_view> words = split(text);
    size_t first = 0;
    if (!words.empty() && words.front() == "cpu")
      first = words.size() > 1 && parseCpuLevel(words[1]) ? 2 : 1;
    if (first == 2 && words[1] != cpuLevelName(schedule.level))
      return Status::make(Code::invalidArgument, "the schedule '{}' is for cpu:{}; this target is cpu:{}",
                          excerpt(text), words[1], cpuLevelName(schedule.level));
    for (size_t i = first; i < words.size(); ++i)
      TERCET_RETURN_IF_ERROR(take(words[i]));
    return check();
  }

private:
  static std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> words;
    for (size_t at = 0; (at = text.find_first_not_of(' ', at)) != std::string_view::npos;) {
      size_t end = std::min(text.find(' ', at), text.size());
      words.push_back(text.substr(at, end - at));
      at = end;
    }
    return words;
  }

  Status take(std::string_view word) {
    size_t equals = word.find('=');
    int64_t value = 0;
    std::string_view number = equals == std::string_view::npos ? "" : word.substr(equals + 1);
    auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (number.empty() || error != std::errc() || end != number.data() + number.size())
      return Status::make(Code::invalidArgument, "'{}' of a CPU schedule is not KNOB=N; knobs of this program are {}",
                          excerpt(word), fmt::join(names(), ", "));
    const CpuKnob *knob = find(word.substr(0, equals));
    if (!knob)
      return Status::make(Code::invalidArgument, "'{}' is not a knob of this program's CPU schedule{}; it has {}",
                          excerpt(word.substr(0, equals)), suggestion(word.substr(0, equals), names()),
                          fmt::join(names(), ", "));
    if (llvm::is_contained(taken, knob))
      return Status::make(Code::invalidArgument, "a CPU schedule names {} twice", knob->name);
    taken.push_back(knob);
    knob->of(schedule) = value;
    return {};
  }

  /// Rules are for all knobs together: the one at fault is a named one with which no other value of it is legal, or
  /// whose own value is not.
  Result<CpuSchedule> check() {
    // Before sizes are derived: values of no sense would divide by nothing.
    for (const CpuKnob *knob : taken) {
      CpuSchedule byDefault = chooseCpuSchedule(program, schedule.level);
      int64_t value = valueOf(schedule, *knob);
      if (value != valueOf(byDefault, *knob) && !llvm::is_contained(knob->tried, value))
        return refuse(*knob, value, byDefault, nullptr);
    }
    deriveSizes(program, schedule);
    const CpuRule *rule = brokenRule(program, schedule);
    if (!rule)
      return schedule;
    for (const CpuKnob *knob : taken) {
      llvm::SmallVector<int64_t> legal = legalValues(program, schedule, *knob);
      if (!legal.empty())
        return refuse(*knob, valueOf(schedule, *knob), schedule, rule);
    }
    return refuse(*taken.front(), valueOf(schedule, *taken.front()), chooseCpuSchedule(program, schedule.level), rule);
  }

  Status refuse(const CpuKnob &knob, int64_t value, const CpuSchedule &beside, const CpuRule *rule) {
    std::string why = rule ? fmt::format(" by the rule {} ({})", rule->name, rule->says) : "";
    return Status::make(Code::invalidArgument, "{}={} is not legal{}; legal {} {}", knob.name, value, why,
                        rule ? "with the other knobs are" : "values are",
                        fmt::join(legalValues(program, beside, knob), ", "));
  }

  const CpuKnob *find(std::string_view name) const {
    for (const CpuKnob &knob : cpuKnobs())
      if (knob.name == name && knob.applies(program))
        return &knob;
    return nullptr;
  }

  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const CpuKnob &knob : cpuKnobs())
      if (knob.applies(program))
        all.push_back(knob.name);
    return all;
  }

  const Program &program;
  CpuSchedule schedule;
  llvm::SmallVector<const CpuKnob *> taken;
};

} // namespace

Result<CpuSchedule> compiler::parseCpuSchedule(const Program &program, CpuLevel level, std::string_view text) {
  return ScheduleReader(program, level).read(text);
}

std::string compiler::textOf(const Program &program, const CpuSchedule &schedule) {
  std::string text = fmt::format("cpu {}", cpuLevelName(schedule.level));
  for (const CpuKnob &knob : cpuKnobs())
    if (knob.applies(program))
      text += fmt::format(" {}={}", knob.name, valueOf(schedule, knob));
  return text;
}
