// RunSpec: one run of a spec on a backend with tensors made for the occasion, and its outputs as doubles.
#pragma once

#include "support/Backend.h"
#include "support/Case.h"
#include "support/SpecSource.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <cstring>
#include <functional>
#include <vector>

namespace tercet::test {

/// The outputs of a run, row-major.
struct Ran {
  std::vector<double> o, lse;
  std::vector<int8_t> classes;
};

inline std::vector<double> valuesOf(const Tensor &tensor) {
  std::vector<double> values;
  for (int64_t i0 = 0; i0 < tensor.shape[0]; ++i0)
    for (int64_t i1 = 0; i1 < tensor.shape[1]; ++i1)
      for (int64_t i2 = 0; i2 < tensor.shape[2]; ++i2)
        for (int64_t i3 = 0; i3 < tensor.shape[3]; ++i3)
          values.push_back(tensor.get(i0, i1, i2, i3));
  return values;
}

/// Runs `spec` on the tensors and parameters of `inputs`; fails the test on an error.
inline Ran runSpec(Backend &backend, const Spec &spec, const Arguments &inputs, int threads = 1) {
  reference::Program program = programOf(spec);
  auto sizes = reference::checkArguments(program, inputs);
  INFO(backend.name() << " " << spec.origin << " " << sizes.status().message());
  REQUIRE(sizes.ok());
  reference::Shape shape{sizes->batch,   sizes->headsQ,  sizes->headsKV,  sizes->tokensQ,
                         sizes->tokensK, sizes->headDim, sizes->valueDim, inputs.parameters};
  reference::Data outputs = reference::makeOutputs(program, shape, sizes->dtype);
  Problem problem{.headDim = sizes->headDim, .valueDim = sizes->valueDim, .dtype = sizes->dtype};
  Status status = backend.run(spec, problem, inputs, outputs.arguments(), threads);
  INFO(status.message());
  REQUIRE(status.ok());
  Ran ran;
  for (const auto &[name, tensor] : outputs.tensors) {
    std::vector<double> values = valuesOf(tensor.view());
    if (name == "o")
      ran.o = values;
    else if (name == "lse")
      ran.lse = values;
    else
      ran.classes.assign(values.begin(), values.end());
  }
  return ran;
}

/// Relative L2 distance; infinite entries must agree.
inline double distance(const std::vector<double> &got, const std::vector<double> &expected) {
  REQUIRE(got.size() == expected.size());
  double error = 0, size = 0;
  for (size_t index = 0; index < got.size(); ++index) {
    if (std::isinf(expected[index])) {
      CHECK(got[index] == expected[index]);
      continue;
    }
    error += (got[index] - expected[index]) * (got[index] - expected[index]);
    size += expected[index] * expected[index];
  }
  return error == 0 ? 0 : std::sqrt(error / size);
}

/// Two f32 results of the same mathematics in another order of sums: each within 1e-5 of what is right
/// (docs/numerics.md).
constexpr double reordered = 2e-5;

/// A copy of a [batch, heads, tokens, features] tensor with every element taken from where `from` says.
using Index4 = std::array<int64_t, 4>;
inline reference::OwnedTensor remapped(const Tensor &tensor, std::vector<int64_t> shape,
                                       const std::function<Index4(Index4)> &from) {
  reference::OwnedTensor copy = reference::OwnedTensor::make(tensor.dtype, std::move(shape));
  const auto &extent = copy.view().shape;
  for (int64_t i0 = 0; i0 < extent[0]; ++i0)
    for (int64_t i1 = 0; i1 < extent[1]; ++i1)
      for (int64_t i2 = 0; i2 < extent[2]; ++i2)
        for (int64_t i3 = 0; i3 < extent[3]; ++i3) {
          Index4 at = from({i0, i1, i2, i3});
          copy.view().set(tensor.get(at[0], at[1], at[2], at[3]), i0, i1, i2, i3);
        }
  return copy;
}

/// `inputs` with tensors of these names replaced.
inline Arguments with(Arguments inputs, std::initializer_list<std::pair<std::string, Tensor>> tensors) {
  for (const auto &[name, tensor] : tensors) {
    bool found = false;
    for (auto &[inputName, input] : inputs.tensors)
      if (inputName == name) {
        input = tensor;
        found = true;
      }
    if (!found)
      inputs.tensors.emplace_back(name, tensor);
  }
  return inputs;
}

} // namespace tercet::test
