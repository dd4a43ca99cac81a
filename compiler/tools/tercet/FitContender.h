// FitContender: a spec on the user's tensors, as tune::fit sees it: its knob as a table over heads, launched with any levels.
#pragma once

#include "Executor.h"
#include "FitKnob.h"

#include "tercet/autotune/Fit.h"

namespace tercet::cli {

/// The kept share of a head's blocks, from the class map; empty without classification.
using KeptShares = std::vector<double>;

class FitContender final : public tune::Contender {
public:
  /// spec: with its settings. call: its inputs, moved in. exact: f32 [b, h, n, dv], borrowed. invalidArgument as findKnob and
  /// makePerHead; else as makeExecutor.
  static Result<std::unique_ptr<FitContender>> make(const LoadedSpec &spec, CallData call, const Tensor &exact,
                                                    ExecutorOptions options);

  int64_t lastLevel() const override { return knob.last; }
  Result<tune::HeadErrors> errors(const std::vector<int64_t> &levels) override;
  Result<double> time(const std::vector<int64_t> &levels) override;

  const std::string &name() const { return ofAllHeads.info.name; }
  const FitKnob &parameter() const { return knob; }
  /// The spec that runs, with the table as its last argument.
  const LoadedSpec &perHead() const { return *spec; }
  const CallData &data() const { return call; }
  const Executor &kernel() const { return *executor; }
  /// Of levels that errors() has launched.
  const KeptShares &kept(const std::vector<int64_t> &levels) const { return keptAt.at(levels); }
  /// The table that gives heads these levels.
  Result<compiler::StoredTensor> table(const std::vector<int64_t> &levels) const;

private:
  void setLevels(const std::vector<int64_t> &levels);
  KeptShares countKept() const;

  LoadedSpec ofAllHeads;
  std::unique_ptr<LoadedSpec> spec; ///< in one place: the executor borrows it
  FitKnob knob;
  CallData call;
  compiler::StoredTensor values; ///< the table of the next launch
  Tensor exact;
  std::unique_ptr<Executor> executor;
  CallOutputs compared, timed; ///< with the class map, and without
  std::map<std::vector<int64_t>, KeptShares> keptAt;
};

/// Exact attention in f32 on the CPU, from the same q, k and v as they enter a contender: rounded to the compute dtype.
Result<compiler::StoredTensor> exactOutput(const LoadedSpec &dense, const CallData &call, bool useCache);

} // namespace tercet::cli
