// Metamorphic tests (docs/numerics.md#metamorphic): changes of the input whose effect is known without an oracle.
#include "RunSpec.h"

using namespace tercet;
using namespace tercet::test;
using reference::OwnedTensor;

namespace {

const std::map<std::string, std::string> blocks = {{"block_q", "16"}, {"block_k", "16"}};
const char *const specs[] = {"dense",   "sparse_topk", "sla",         "sla_non_critical",
                             "sla_all", "block_mean",  "linear_dense"};

bool classifies(const std::string &spec) { return spec != "dense" && spec != "linear_dense"; }

Case caseFor(const std::string &spec, reference::Shape shape, Given given = Given::none) {
  Case entry{.name = "metamorphic", .spec = spec, .shape = shape};
  if (classifies(spec)) {
    entry.settings = blocks;
    entry.parameters = {{"keep", 0.3}};
    entry.given = given;
  }
  return entry;
}

std::vector<int64_t> shapeOf(const Tensor &tensor) { return {tensor.shape.begin(), tensor.shape.begin() + 4}; }

} // namespace

TEST_CASE("permuting heads and batches permutes the result, bit by bit", "[metamorphic]") {
  const reference::Shape shape{.batch = 3, .heads = 3, .tokensQ = 40, .tokensK = 70, .headDim = 16};
  auto turned = [](Index4 at) { return Index4{(at[0] + 1) % 3, (at[1] + 2) % 3, at[2], at[3]}; };
  for (Backend *backend : backends())
    for (const char *spec : specs) {
      INFO(backend->name() << " " << spec);
      PreparedCase prepared = prepare(caseFor(spec, shape));
      OwnedTensor q = remapped(prepared.inputs["q"], shapeOf(prepared.inputs["q"]), turned);
      OwnedTensor k = remapped(prepared.inputs["k"], shapeOf(prepared.inputs["k"]), turned);
      OwnedTensor v = remapped(prepared.inputs["v"], shapeOf(prepared.inputs["v"]), turned);
      Ran before = runSpec(*backend, prepared.spec, prepared.arguments);
      Ran after = runSpec(*backend, prepared.spec,
                          with(prepared.arguments, {{"q", q.view()}, {"k", k.view()}, {"v", v.view()}}));
      OwnedTensor expected =
          remapped(Tensor::contiguous(before.o.data(), DType::f64, {3, 3, 40, 16}), {3, 3, 40, 16}, turned);
      CHECK(after.o == valuesOf(expected.view()));
    }
}

TEST_CASE("permuting key blocks with their classes changes nothing beyond rounding", "[metamorphic]") {
  const reference::Shape shape{.heads = 2, .tokensQ = 40, .tokensK = 80, .headDim = 16};
  const int64_t order[] = {3, 0, 4, 2, 1};
  auto turnedTokens = [&](Index4 at) { return Index4{at[0], at[1], order[at[2] / 16] * 16 + at[2] % 16, at[3]}; };
  auto turnedClasses = [&](Index4 at) { return Index4{at[0], at[1], at[2], order[at[3]]}; };
  for (Backend *backend : backends())
    for (const char *spec : specs) {
      INFO(backend->name() << " " << spec);
      PreparedCase prepared = prepare(caseFor(spec, shape, Given::random));
      OwnedTensor k = remapped(prepared.inputs["k"], {1, 2, 80, 16}, turnedTokens);
      OwnedTensor v = remapped(prepared.inputs["v"], {1, 2, 80, 16}, turnedTokens);
      Arguments turned = with(prepared.arguments, {{"k", k.view()}, {"v", v.view()}});
      OwnedTensor classes;
      if (classifies(spec)) {
        classes = remapped(prepared.inputs["classes"], {1, 2, 3, 5}, turnedClasses);
        turned = with(turned, {{"classes", classes.view()}});
      }
      Ran before = runSpec(*backend, prepared.spec, prepared.arguments);
      Ran after = runSpec(*backend, prepared.spec, turned);
      CHECK(distance(after.o, before.o) <= reordered);
      if (!before.lse.empty())
        CHECK(distance(after.lse, before.lse) <= reordered);
    }
}

TEST_CASE("splitting the keys and merging by log-sum-exp equals one call", "[metamorphic]") {
  const reference::Shape shape{.heads = 2, .tokensQ = 33, .tokensK = 100, .headDim = 24};
  for (Backend *backend : backends()) {
    INFO(backend->name());
    PreparedCase prepared = prepare(caseFor("dense", shape));
    Ran whole = runSpec(*backend, prepared.spec, prepared.arguments);
    Ran part[2];
    for (int64_t index : {0, 1}) {
      int64_t begin = index ? 37 : 0, size = index ? 63 : 37;
      auto shifted = [&](Index4 at) { return Index4{at[0], at[1], at[2] + begin, at[3]}; };
      OwnedTensor k = remapped(prepared.inputs["k"], {1, 2, size, 24}, shifted);
      OwnedTensor v = remapped(prepared.inputs["v"], {1, 2, size, 24}, shifted);
      part[index] = runSpec(*backend, prepared.spec, with(prepared.arguments, {{"k", k.view()}, {"v", v.view()}}));
    }
    std::vector<double> merged, lse;
    for (size_t row = 0; row < whole.lse.size(); ++row) {
      double w0 = std::exp(part[0].lse[row]), w1 = std::exp(part[1].lse[row]);
      lse.push_back(std::log(w0 + w1));
      for (size_t c = 0; c < 24; ++c)
        merged.push_back((w0 * part[0].o[row * 24 + c] + w1 * part[1].o[row * 24 + c]) / (w0 + w1));
    }
    CHECK(distance(whole.o, merged) <= reordered);
    CHECK(distance(whole.lse, lse) <= reordered);
  }
}

TEST_CASE("constant values come out of every normalised branch as they went in", "[metamorphic]") {
  const reference::Shape shape{.heads = 2, .tokensQ = 50, .tokensK = 90, .headDim = 16};
  for (Backend *backend : backends())
    for (const char *spec : {"dense", "sparse_topk", "block_mean", "linear_dense"}) {
      INFO(backend->name() << " " << spec);
      PreparedCase prepared = prepare(caseFor(spec, shape));
      OwnedTensor v = OwnedTensor::make(DType::f32, {1, 2, 90, 16});
      for (int64_t h = 0; h < 2; ++h)
        for (int64_t t = 0; t < 90; ++t)
          for (int64_t c = 0; c < 16; ++c)
            v.view().set(static_cast<double>(c) - 3.25, 0, h, t, c);
      Ran ran = runSpec(*backend, prepared.spec, with(prepared.arguments, {{"v", v.view()}}));
      for (size_t index = 0; index < ran.o.size(); ++index)
        REQUIRE(ran.o[index] == Approx(static_cast<double>(index % 16) - 3.25).epsilon(1e-5));
    }
}
