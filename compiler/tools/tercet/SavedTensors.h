// SavedTensors: what a forward gives that its backward takes, read off the signatures of the two.
#pragma once

#include "tercet/Artifact.h"
#include "tercet/dialect/reference/Evaluate.h"

namespace tercet::cli {

struct SavedTensor {
  PlanArgument::Role role; ///< in the backward
  std::string given;       ///< its name among the forward's outputs, "o_wide"
  std::string taken;       ///< its name among the backward's inputs, "o"
  DType dtype = DType::f32;
  std::vector<int64_t> shape;

  int64_t bytes() const;
};

/// In the order of the backward's arguments.
std::vector<SavedTensor> savedTensors(const PlanSignature &forward, const PlanSignature &backward,
                                      const reference::CallSizes &sizes);

} // namespace tercet::cli
