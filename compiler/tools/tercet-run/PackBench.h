// PackBench: candidates of a pack on a device: loaded, launched, compared with the oracle's rows, timed. No compiler.
#pragma once

#include "Comparison.h"
#include "SeededCall.h"
#include "TableRun.h"

#include "tercet/autotune/Bench.h"
#include "tercet/autotune/Pack.h"

namespace tercet::run {

class BoundKernel;

/// Of one kernel's candidates. Times are medians of graph replays by the device's events (launches on a CPU), with inputs in L2 as far
/// as the replay before left them there.
class PackBench final : public tune::Bench {
public:
  /// pack, space, target: borrowed. marker, where it is given, gets the number of a candidate before it is launched for the first time,
  /// and excluded ones are failed without a launch: so that one that ends the process is known, and left out next time.
  PackBench(const tune::Pack &pack, const tune::PackSpace &space, const RunTarget &target,
            const std::vector<std::string> &excluded = {}, int64_t *marker = nullptr);
  ~PackBench() override;

  Status prepare(size_t candidate) override;
  Result<tune::Measurement> measure(size_t candidate) override;
  Status verify(size_t candidate) override;
  void release(size_t candidate) override;
  double seconds() override;

  /// Of the last `verify`.
  const CaseErrors &errors() const { return lastErrors; }
  /// As the tuner takes it: without refused candidates.
  tune::Space space() const;

private:
  struct Loaded;
  const tune::PackCandidate &at(size_t candidate) const { return packed.candidates[numbers[candidate]]; }

  const tune::Pack &pack;
  const tune::PackSpace &packed;
  const RunTarget &target;
  const std::vector<std::string> &excluded;
  int64_t *marker;
  std::vector<size_t> numbers; ///< of candidates that are not refused, in the pack
  std::vector<std::unique_ptr<Loaded>> loaded;
  std::unique_ptr<SeededCall> call;
  CaseErrors lastErrors;
};

} // namespace tercet::run
