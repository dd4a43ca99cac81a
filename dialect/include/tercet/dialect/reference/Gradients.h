// Gradients: what docs/gradients.md says, in fp64 and plain loops, beside what Evaluate.h computes.
//
// Cost: that of the forward and about twice as much again, per row of one head; every row takes part.
#pragma once

#include "tercet/dialect/reference/Evaluate.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tercet::reference {

/// The inputs that have gradients: q, k, v, the weights, and the floating-point tables that score regions and gates read or
/// that weight pools. The gradient of `x` is named `dx`.
std::vector<std::string> differentiableInputs(const Program &program);

/// What a gradient is stored in by default: those of q, k and v as they are, others f32. name: "dq".
DType gradientDType(std::string_view name, DType computeDType);

struct GradientOptions {
  /// As EvaluateOptions: the plain low-precision evaluation, for bounds of a kernel's error. P and dS are rounded to
  /// `probabilities` before they meet other operands.
  bool plain = false;
  int order = 0;
  DType probabilities = DType::f32;
  /// The classes of the forward, as EvaluateOptions::classes.
  const Tensor *classes = nullptr;
  /// Spreads KV heads over threads; empty: this thread alone. Sums run in the same order in either case.
  ParallelFor parallelFor;
};

/// The gradient of one input.
struct Gradient {
  std::string name; ///< "dq"
  std::vector<int64_t> shape;
  std::vector<double> values; ///< row-major; 0 for rows and keys beyond the lengths
};

struct Gradients {
  CallSizes sizes;
  ClassMap classes;           ///< that were used; empty without classification
  std::vector<Gradient> list; ///< as differentiableInputs, without weights that are not given

  /// Null where there is none of this name.
  const Gradient *find(std::string_view name) const;
};

/// Checks a call: as checkArguments; invalidArgument also where `do` is missing or of another shape.
Result<CallSizes> checkGradientArguments(const Program &program, const Arguments &arguments);

/// Differentiates sum(dO * O). `arguments` are those of evaluate, and `do`: [batch, heads, tokensQ, valueDim] of a float
/// dtype, which is not read beyond q_len. Holds the gradients of weights and tables once per KV head. Errors: as
/// checkGradientArguments. Safe from many threads.
Result<Gradients> differentiate(const Program &program, const Arguments &arguments,
                                const GradientOptions &options = {});

/// Differentiates and writes the tensors among `outputs` whose names are those of gradients, each of the shape of its
/// input, in the dtype of gradientDType, f32 or f64; others are ignored. invalidArgument also for gradients that the spec or
/// the call does not have, tensors of another shape, and no gradient at all; nothing is written then.
Status runGradients(const Program &program, const Arguments &arguments, const Arguments &outputs,
                    const GradientOptions &options = {});

} // namespace tercet::reference
