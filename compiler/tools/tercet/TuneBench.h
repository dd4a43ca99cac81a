// TuneBench: candidates of one kernel of a spec, compiled and launched on the call that is tuned. On a CPU samples lie between
// two probes of the multiply-add peak.
#pragma once

#include "Executor.h"
#include "OracleCheck.h"

#include "tercet/autotune/ProblemClass.h"
#include "tercet/autotune/Report.h"

namespace tercet::cli {

class TuneBench final : public tune::Bench {
public:
  /// What is borrowed for the bench's life: spec, call and space. Compiles the program with its default schedules.
  /// options: target, dimensions, dtype, host, and grad for the directions of a gradient. others: schedules of kernels that
  /// are not tuned here.
  static Result<std::unique_ptr<TuneBench>> open(const LoadedSpec &spec, const CallData &call,
                                                 const ExecutorOptions &options, Direction direction,
                                                 std::vector<ScheduleRequest::Named> others, const tune::Space &space);

  Status prepare(size_t candidate) override;
  Result<tune::Measurement> measure(size_t candidate) override;
  Status verify(size_t candidate) override;
  void release(size_t candidate) override { executors[candidate].reset(); }
  double seconds() override;

  /// What runs the direction with default schedules.
  const Executor &executor() const { return *part->executor; }
  /// By candidate; 0 of those that were not prepared.
  const std::vector<tune::Work> &work() const { return works; }
  /// The call as tuning databases tell it from others: its sizes, and what its data decided.
  const tune::ProblemShape &shape() const { return known; }

private:
  TuneBench(const LoadedSpec &spec, const CallData &call, const ExecutorOptions &options, Direction direction,
            std::vector<ScheduleRequest::Named> others, const tune::Space &space);
  Status openParts();
  void makeSmallCall();
  ExecutorOptions optionsWith(size_t candidate, bool wholeGradient) const;
  Result<LaunchReport> launch(size_t candidate);
  Status noteWork(size_t candidate, const LaunchReport &report);
  void noteShape(const LaunchReport &report);
  Status verifySmall(size_t candidate);
  Status verifyGradient(size_t candidate);

  const LoadedSpec &spec;
  const CallData &call;
  ExecutorOptions options;
  Direction direction;
  std::vector<ScheduleRequest::Named> others;
  const tune::Space &space;
  std::unique_ptr<Executor> base; ///< of all directions, with default schedules
  CallOutputs outputs;
  std::vector<CallPart> parts;
  CallPart *part = nullptr;          ///< what is timed
  std::optional<CallData> smallCall; ///< for the oracle in full; absent where the spec's sizes cannot be made small
  std::vector<std::unique_ptr<Executor>> executors;
  std::vector<compiler::StoredTensor> gradientsOfDefault;
  std::vector<tune::Work> works;
  tune::ProblemShape known;
  OracleCheck oracle;
  int64_t launchesPerSample = 1;
};

} // namespace tercet::cli
