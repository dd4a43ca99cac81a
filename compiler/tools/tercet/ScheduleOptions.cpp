#include "ScheduleOptions.h"

#include "CallData.h"

#include "tercet/Spelling.h"
#include "tercet/dialect/reference/BlockCounts.h"

namespace tercet::cli {

void ScheduleRequest::applyTo(Problem &problem) const {
  problem.deterministic = deterministic;
  for (const Named &each : named)
    if (!each.direction || *each.direction == problem.direction)
      problem.schedules.emplace_back(each.kernel, each.text);
}

void ScheduleOptions::declare(Options &options) {
  options.repeated("--schedule", texts, "KERNEL=TEXT",
                   "compile a kernel with this schedule, as explain prints them; 'cpu' names all of a CPU; with --grad "
                   "forward.KERNEL or backward.KERNEL are of one direction");
  options.flag("--deterministic", deterministic, "take the default schedules, whatever a tuning database has");
}

Result<ScheduleRequest> ScheduleOptions::resolve() const {
  ScheduleRequest request;
  request.deterministic = deterministic;
  if (deterministic && !texts.empty())
    return Status::make(Code::invalidArgument, "--schedule and --deterministic exclude each other");
  for (const std::string &option : texts) {
    size_t equals = option.find('=');
    ScheduleRequest::Named named;
    if (equals != std::string::npos)
      named = {{}, option.substr(0, equals), option.substr(equals + 1)};
    for (auto [prefix, direction] :
         {std::pair{"forward.", Direction::forward}, std::pair{"backward.", Direction::backward}})
      if (named.kernel.starts_with(prefix)) {
        named.direction = direction;
        named.kernel.erase(0, std::string_view(prefix).size());
      }
    if (named.kernel.empty() || named.text.empty())
      return Status::make(Code::invalidArgument,
                          "--schedule is '{}'; it must be KERNEL=SCHEDULE, with --grad also forward.KERNEL=SCHEDULE or "
                          "backward.KERNEL=SCHEDULE",
                          excerpt(option));
    request.named.push_back(std::move(named));
  }
  return request;
}

ExpectedCall expectedCall(const LoadedSpec &spec, const CallData &call) {
  const reference::CallSizes &sizes = call.sizes;
  ExpectedCall expected{sizes.batch, sizes.headsQ, sizes.headsKV, sizes.tokensQ, sizes.tokensK, {}};
  if (!spec.info.classifies()) {
    expected.kept = 1;
    return expected;
  }
  auto blocks = reference::countBlocks(spec.info.program, call.arguments);
  if (!blocks.ok() || !*blocks)
    return expected;
  auto all = static_cast<double>((*blocks)->critical + (*blocks)->marginal + (*blocks)->negligible);
  if (all > 0)
    expected.kept = static_cast<double>((*blocks)->critical) / all;
  return expected;
}

} // namespace tercet::cli
