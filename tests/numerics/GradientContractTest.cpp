// The numerics contract of gradients: it passes what fp32 arithmetic gives and refuses each kind of wrong.
#include "support/SpecSource.h"
#include "tercet/dialect/reference/Contract.h"
#include "tercet/dialect/reference/Data.h"
#include "tercet/dialect/reference/Gradients.h"

#include <catch2/catch.hpp>

#include <functional>
#include <limits>

using namespace tercet;
using namespace tercet::reference;
using namespace tercet::test;

namespace {

/// A call whose gradients are those of a plain evaluation, in an order that the contract does not begin with.
struct Sample {
  Program program;
  Data inputs, got;
  CheckOptions options;

  explicit Sample(const std::string &spec, DType dtype = DType::f32, double scale = 1, const Shape &shape = medium,
                  std::map<std::string, std::string> settings = {})
      : program(programOf(specNamed(spec, std::move(settings)))) {
    inputs = makeData(program, shape, {.dtype = dtype, .scale = scale, .withGradient = true});
    options = {.inputScale = scale, .probabilities = dtype};
    fill(nullptr);
  }

  static inline const Shape medium{.heads = 4, .headsKV = 2, .tokensQ = 90, .tokensK = 110, .headDim = 24};

  void fill(const Tensor *classes) {
    got = {};
    auto gradients =
        differentiate(program, inputs.arguments(),
                      {.plain = true, .order = 5, .probabilities = options.probabilities, .classes = classes});
    INFO(gradients.status().message());
    REQUIRE(gradients.ok());
    for (const Gradient &gradient : gradients->list) {
      got.tensors.emplace_back(gradient.name,
                               OwnedTensor::make(gradientDType(gradient.name, options.probabilities), gradient.shape));
      Tensor flat = Tensor::contiguous(got.tensors.back().second.view().data, got.tensors.back().second.view().dtype,
                                       {static_cast<int64_t>(gradient.values.size())});
      for (size_t index = 0; index < gradient.values.size(); ++index)
        flat.set(gradient.values[index], static_cast<int64_t>(index));
    }
  }

  /// Replaces every element x of a gradient by change(x).
  void spoil(const std::string &name, const std::function<double(double)> &change) {
    Tensor flat = Tensor::contiguous(got[name].data, got[name].dtype, {got[name].elements()});
    for (int64_t index = 0; index < flat.shape[0]; ++index)
      flat.set(change(flat.get(index)), index);
  }

  Verdict check() {
    auto verdict = checkGradients(program, inputs.arguments(), got.arguments(), options);
    INFO(verdict.status().message());
    REQUIRE(verdict.ok());
    return *std::move(verdict);
  }

  void refuse(const std::string &says) {
    Verdict verdict = check();
    CHECK(!verdict.passed);
    CHECK_THAT(verdict.reason, Catch::Contains(says));
    CHECK_THAT(describe(verdict), Catch::StartsWith("failed: "));
  }
};

} // namespace

TEST_CASE("fp32 arithmetic passes at every dtype and scale", "[gradients]") {
  for (const char *spec : {"sla", "bias", "weighted_pools", "nsa"})
    for (DType dtype : {DType::f32, DType::bf16, DType::f16})
      for (double scale : {1.0, 4.0, 16.0}) {
        Verdict verdict = Sample(spec, dtype, scale).check();
        INFO(spec << " " << dtypeName(dtype) << " x " << scale << ": " << describe(verdict));
        CHECK(verdict.passed);
      }
}

TEST_CASE("a gradient that rounding makes of nothing passes", "[gradients]") {
  // One key: P = 1, and dP - D is the rounding of a difference of equal numbers.
  Verdict verdict = Sample("dense", DType::f32, 1, {.heads = 2, .tokensQ = 40, .tokensK = 1, .headDim = 24}).check();
  INFO(describe(verdict));
  CHECK(verdict.passed);
}

TEST_CASE("gradients of the wrong size are refused", "[gradients]") {
  for (const char *name : {"dq", "dk", "dv", "dw", "db"}) {
    Sample sample("sla");
    sample.spoil(name, [](double value) { return value * 1.00005; });
    sample.refuse(std::string("the relative L2 error of ") + name);
  }
  Sample rounded("sla", DType::bf16);
  rounded.spoil("dk", [](double value) { return value * 1.03; });
  rounded.refuse("the relative L2 error of dk");
}

TEST_CASE("one wrong element is refused", "[gradients]") {
  Sample sample("bias", DType::bf16);
  int count = 0;
  sample.spoil("dbias", [&](double value) { return count++ == 77 ? value + 0.02 : value; });
  sample.refuse("the largest error of dbias");
}

TEST_CASE("NaN is refused", "[gradients]") {
  Sample sample("sla");
  int count = 0;
  sample.spoil("dv", [&](double value) { return count++ == 5 ? std::numeric_limits<double>::quiet_NaN() : value; });
  sample.refuse("1 elements of dv are finite on one side only; first dv[0, 0, 0, 5]");
}

TEST_CASE("gradients are compared at the classes of the target", "[gradients]") {
  Sample sample("sla", DType::f32, 1, Sample::medium, {{"block_q", "16"}, {"block_k", "16"}});
  auto own = selectClasses(sample.program, sample.inputs.arguments());
  REQUIRE(own.ok());
  for (int8_t &value : own->values)
    value = static_cast<int8_t>(value == 0 ? 1 : 0);
  Tensor classes = Tensor::contiguous(own->values.data(), DType::i8, {1, 4, own->blocksQ, own->blocksK});
  sample.fill(&classes);
  sample.refuse("the relative L2 error of dq");
  auto map = OwnedTensor::make(DType::i8, {1, 4, own->blocksQ, own->blocksK});
  std::copy(own->values.begin(), own->values.end(), static_cast<int8_t *>(map.view().data));
  sample.got.tensors.emplace_back("classes", std::move(map));
  CHECK(sample.check().passed);
}
