// The numerics contract itself: it passes what is right and refuses each kind of wrong.
#include "RunSpec.h"

#include <bit>
#include <set>

using namespace tercet;
using namespace tercet::reference;
using namespace tercet::test;

namespace {

/// An SLA call with right outputs, for a test to spoil.
struct Sample {
  explicit Sample(DType dtype = DType::f32, double scale = 1, const std::string &spec = "sla",
                  std::vector<std::pair<std::string, double>> parameters = {{"keep", 0.3}, {"drop", 0.3}})
      : entry{.name = "contract",
              .spec = spec,
              .settings = {{"block_q", "16"}, {"block_k", "16"}},
              .parameters = std::move(parameters),
              .shape = {.heads = 2, .tokensQ = 60, .tokensK = 100, .headDim = 32},
              .dtype = dtype,
              .scale = scale},
        prepared(prepare(entry)) {
    REQUIRE(reference::run(prepared.program, prepared.arguments, prepared.outputs.arguments()).ok());
  }

  Case entry;
  PreparedCase prepared;

  Verdict check(bool exactTies = false) {
    CheckOptions options = checkOptions(entry);
    options.exactTies = exactTies;
    auto verdict = checkOutputs(prepared.program, prepared.arguments, prepared.outputs.arguments(), options);
    INFO(verdict.status().message());
    REQUIRE(verdict.ok());
    return *std::move(verdict);
  }

  /// Replaces every element x of an output by change(x).
  void spoil(const std::string &name, const std::function<double(double)> &change) {
    const Tensor &tensor = prepared.outputs[name];
    for (int64_t h = 0; h < tensor.shape[1]; ++h)
      for (int64_t i = 0; i < tensor.shape[2]; ++i)
        for (int64_t j = 0; j < tensor.shape[3]; ++j)
          tensor.set(change(tensor.get(0, h, i, j)), 0, h, i, j);
  }
};

double truncateToBfloat16(double value) {
  return std::bit_cast<float>(std::bit_cast<uint32_t>(static_cast<float>(value)) & 0xffff0000u);
}

} // namespace

TEST_CASE("right outputs pass at every dtype and scale", "[contract]") {
  for (DType dtype : {DType::f32, DType::bf16, DType::f16})
    for (double scale : {1.0, 4.0, 16.0}) {
      Sample sample(dtype, scale);
      Verdict verdict = sample.check();
      INFO(describe(verdict));
      CHECK(verdict.passed);
      REQUIRE(verdict.outputs.size() == 2);
      CHECK(verdict.outputs[0].relativeL2.bound > 0);
      CHECK(verdict.classes->different == 0);
    }
}

TEST_CASE("an error of every element is refused", "[contract]") {
  for (auto [dtype, factor] : {std::pair{DType::f32, 1.00002}, {DType::bf16, 1.01}, {DType::f16, 1.005}}) {
    Sample sample(dtype);
    sample.spoil("o", [factor = factor](double x) { return x * factor; });
    CHECK_FALSE(sample.check().passed);
  }
}

TEST_CASE("beyond the fixed bounds' scales the plain evaluation decides", "[contract]") {
  Sample sample(DType::f32, 16);
  Verdict right = sample.check();
  double bound = right.outputs[0].relativeL2.bound;
  CHECK(bound > 1e-7);
  CHECK(bound < 1e-3);
  sample.spoil("o", [&](double x) { return x * (1 + 4 * bound); });
  CHECK_FALSE(sample.check().passed);
}

TEST_CASE("one wrong element among many is refused", "[contract]") {
  Sample sample;
  const Tensor &o = sample.prepared.outputs["o"];
  o.set(o.get(0, 1, 7, 3) + 1e-5, 0, 1, 7, 3);
  Verdict verdict = sample.check();
  CHECK(verdict.outputs[0].relativeL2.passed());
  CHECK_FALSE(verdict.outputs[0].maxError.passed());
  CHECK_THAT(verdict.reason, Catch::Contains("o[0, 1, 7, 3]"));
}

TEST_CASE("NaN, infinities and unwritten elements are refused", "[contract]") {
  for (double value : {double(NAN), double(INFINITY), -double(INFINITY)}) {
    Sample sample;
    sample.prepared.outputs["o"].set(value, 0, 0, 0, 0);
    Verdict verdict = sample.check();
    CHECK(verdict.outputs[0].nonFinite == 1);
    CHECK_FALSE(verdict.passed);
  }
}

TEST_CASE("a mean error beyond 1.25 times the plain evaluation's is refused, however few the rows", "[contract]") {
  for (double scale : {1.0, 4.0}) {
    Sample sample(DType::f32, scale);
    auto right = evaluate(sample.prepared.program, sample.prepared.arguments);
    auto plain = evaluate(sample.prepared.program, sample.prepared.arguments, {.plain = true});
    const std::vector<double> &exact = right->result().o, &rounded = plain->result().o;
    auto meanPassesAt = [&](double factor) {
      size_t index = 0;
      sample.spoil("o", [&](double) {
        double value = exact[index] + factor * (rounded[index] - exact[index]);
        ++index;
        return value;
      });
      return sample.check().outputs[0].meanError.passed();
    };
    CHECK(meanPassesAt(1.0));
    CHECK_FALSE(meanPassesAt(2.5)); // 1.25 times, and the floor of one rounding
  }
}

TEST_CASE("the orders of the plain evaluation differ by roundings alone", "[contract]") {
  Sample sample(DType::f32, 16);
  auto right = evaluate(sample.prepared.program, sample.prepared.arguments);
  std::set<std::vector<double>> distinct;
  for (int order = 0; order < EvaluateOptions::plainOrders; ++order) {
    auto plain = evaluate(sample.prepared.program, sample.prepared.arguments, {.plain = true, .order = order});
    REQUIRE(plain.ok());
    CHECK(distance(plain->result().o, right->result().o) < 1e-4);
    CHECK(plain->classes.values == right->classes.values);
    distinct.insert(plain->result().o);
  }
  CHECK(distinct.size() == EvaluateOptions::plainOrders);
}

TEST_CASE("truncating instead of rounding is refused by the mean error", "[contract]") {
  Sample sample(DType::bf16);
  auto evaluation = evaluate(sample.prepared.program, sample.prepared.arguments);
  size_t index = 0;
  sample.spoil("o", [&](double) { return truncateToBfloat16(evaluation->result().o[index++]); });
  Verdict verdict = sample.check();
  CHECK(verdict.outputs[0].relativeL2.passed());
  CHECK_FALSE(verdict.outputs[0].meanError.passed());
}

TEST_CASE("a wrong small branch does not hide behind a big one", "[contract]") {
  Sample sample;
  auto evaluation = evaluate(sample.prepared.program, sample.prepared.arguments);
  const BranchRows &exact = evaluation->branches[0], &linear = evaluation->branches[1];
  REQUIRE(linear.name == "linear");
  REQUIRE(exact.name == "sparse");
  size_t index = 0;
  sample.spoil("o", [&](double x) { return x + 1e-4 * linear.o[index++]; });
  CHECK_FALSE(sample.check().passed);
}

TEST_CASE("a log-sum-exp in another base, or of an empty row, is refused", "[contract]") {
  Sample base;
  base.spoil("lse", [](double x) { return x / std::log(2.0); });
  CHECK_FALSE(base.check().passed);
  Sample shifted;
  shifted.spoil("lse", [](double x) { return x + 1e-4; });
  CHECK_FALSE(shifted.check().passed);
  Sample empty;
  empty.entry.given = Given::allMarginal;
  empty.prepared = prepare(empty.entry);
  REQUIRE(reference::run(empty.prepared.program, empty.prepared.arguments, empty.prepared.outputs.arguments()).ok());
  CHECK(empty.check().passed);
  empty.spoil("lse", [](double) { return -3e38; });
  CHECK_FALSE(empty.check().passed);
}

TEST_CASE("classes of wrong counts, order or place are refused", "[contract]") {
  Sample sample;
  const Tensor &classes = sample.prepared.outputs["classes"];
  auto find = [&](int8_t value, int64_t row) {
    for (int64_t j = 0; j < classes.shape[3]; ++j)
      if (classes.get(0, 0, row, j) == value)
        return j;
    FAIL("no block of this class");
    return int64_t(0);
  };
  SECTION("a count") {
    classes.set(0, 0, 0, 1, find(1, 1));
    CHECK_THAT(sample.check().reason, Catch::Contains("has 1 blocks of class 1, expected 2"));
  }
  SECTION("an order") {
    int64_t critical = find(1, 2), marginal = find(0, 2);
    classes.set(0, 0, 0, 2, critical);
    classes.set(1, 0, 0, 2, marginal);
    CHECK_THAT(sample.check().reason, Catch::Contains("classes of row (0, 0, 2): block"));
  }
  SECTION("no class at all") {
    classes.set(0x55, 0, 1, 0, 0);
    CHECK_THAT(sample.check().reason, Catch::Contains("classes of row (0, 1, 0): block 0 has class 85"));
  }
}

TEST_CASE("blocks of scores closer than fp32 tells apart may change places", "[contract]") {
  Sample sample(DType::f32, 1, "sparse_topk", {{"keep", 0.15}});
  const Tensor &k = sample.prepared.inputs["k"], &classes = sample.prepared.outputs["classes"];
  for (int64_t t = 0; t < 16; ++t) // key block 3 scores as block 2, but for the last bits
    for (int64_t c = 0; c < 32; ++c) {
      k.set(k.get(0, 0, 32 + t, c) * 3, 0, 0, 32 + t, c);
      k.set(k.get(0, 0, 32 + t, c) * (1 + 1e-7), 0, 0, 48 + t, c);
    }
  REQUIRE(reference::run(sample.prepared.program, sample.prepared.arguments, sample.prepared.outputs.arguments()).ok());
  int64_t row = -1;
  for (int64_t i = 0; i < classes.shape[2] && row < 0; ++i)
    if (classes.get(0, 0, i, 2) != classes.get(0, 0, i, 3))
      row = i;
  REQUIRE(row >= 0);
  for (int64_t j : {2, 3})
    classes.set(1 - classes.get(0, 0, row, j), 0, 0, row, j);
  // The outputs follow the classes that are reported.
  Arguments again = with(sample.prepared.arguments, {{"classes", classes}});
  Arguments outputs;
  outputs.tensors = {{"o", sample.prepared.outputs["o"]}, {"lse", sample.prepared.outputs["lse"]}};
  REQUIRE(reference::run(sample.prepared.program, again, outputs).ok());
  Verdict verdict = sample.check();
  INFO(describe(verdict));
  CHECK(verdict.passed);
  CHECK(verdict.classes->different == 2);
  CHECK_FALSE(sample.check(/*exactTies=*/true).passed);
}

TEST_CASE("what does not fit is an error, not a verdict", "[contract]") {
  Sample sample;
  Arguments outputs;
  CHECK(checkOutputs(sample.prepared.program, sample.prepared.arguments, outputs).status().message() ==
        "no output is given; expected o, lse or classes");
  outputs.tensors = {{"o", sample.prepared.inputs["k"]}};
  CHECK(checkOutputs(sample.prepared.program, sample.prepared.arguments, outputs).status().message() ==
        "o is [1, 2, 100, 32] f32; expected [1, 2, 60, 32] f32");
}
