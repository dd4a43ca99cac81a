// Bench: where candidates are measured. The tuner asks, and keeps the books; a bench compiles, launches and compares.
#pragma once

#include "tercet/Status.h"
#include "tercet/autotune/Measurement.h"

namespace tercet::tune {

/// Candidates go by their index in the space. A failed status of `prepare`, `measure` or `verify` puts a candidate out,
/// with the status as the reason; for the default it ends the tuning.
class Bench {
public:
  virtual ~Bench() = default;
  /// Compiles and warms up. Called once, before anything else is asked of a candidate.
  virtual Status prepare(size_t candidate) = 0;
  /// One sample.
  virtual Result<Measurement> measure(size_t candidate) = 0;
  /// The correctness gate: ok where what the candidate computes is right by the numerics contract.
  virtual Status verify(size_t candidate) = 0;
  /// Nothing more will be asked of the candidate.
  virtual void release(size_t candidate) = 0;
  /// Seconds on a clock that only goes forward.
  virtual double seconds() = 0;
};

} // namespace tercet::tune
