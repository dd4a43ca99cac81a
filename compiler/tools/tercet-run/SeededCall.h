// SeededCall: a call of an artifact on made-up data, the same on every machine: for timing shapes whose tensors nobody carries along.
#pragma once

#include "tercet/Session.h"

namespace tercet::run {

struct SeededSizes {
  int64_t batch = 1, heads = 1, headsKV = 1, queries = 1, keys = 1;
};

/// q, k and v, weights, tables, and outputs: o and where the program has them the classes; lse where it is asked for. Movable.
struct SeededCall {
  std::vector<std::vector<char>> memory;
  Arguments arguments;

  /// Of the argument with this role; null where the call has none.
  const Tensor *find(const PlanSignature &signature, PlanArgument::Role role) const;
};

/// Data is normal with unit variance; w has entries of variance 1/dv; tables are normal, or i32 zeros.
SeededCall makeSeededCall(const Artifact &artifact, const SeededSizes &sizes,
                          const std::vector<std::pair<std::string, double>> &parameters, bool withLse = false);

} // namespace tercet::run
