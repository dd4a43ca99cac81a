// Gradients of every kind of branch against finite differences: classes in any mix, tails, lengths, groups of heads.
#include "FiniteDifference.h"

#include "support/SpecSource.h"

#include <catch2/catch.hpp>

#include <limits>

using namespace tercet;
using namespace tercet::test;
using reference::Shape;

namespace {

using Settings = std::map<std::string, std::string>;

/// Two batch entries, two query heads per KV head, tails in both directions.
const Shape ragged{.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 43, .tokensK = 70, .headDim = 6, .valueDim = 5};

GradientCall callOf(const std::string &spec, Settings settings = {}, const Shape &shape = ragged) {
  return GradientCall::make(programOf(specNamed(spec, std::move(settings))), shape);
}

/// Classes of every kind at random, the same for all batch entries.
GradientCall withClasses(GradientCall call) {
  auto sizes = reference::checkArguments(call.program, call.arguments());
  REQUIRE(sizes.ok());
  auto classes = reference::OwnedTensor::make(DType::i8, {1, sizes->headsQ, sizes->blocksQ, sizes->blocksK});
  reference::RandomStream random(5, "classes");
  for (int64_t h = 0; h < sizes->headsQ; ++h)
    for (int64_t i = 0; i < sizes->blocksQ; ++i)
      for (int64_t j = 0; j < sizes->blocksK; ++j)
        classes.view().set(std::floor(random.uniform((h * 64 + i) * 64 + j) * 3) - 1, 0, h, i, j);
  return std::move(call.set("classes", std::move(classes)));
}

/// Lengths that end in blocks and at their ends, one of 0, and NaN beyond them.
GradientCall shortened(GradientCall call, std::vector<int32_t> queries, std::vector<int32_t> keys) {
  for (const char *name : {"q", "k", "v", "do"}) {
    const Tensor &tensor = call.data[name];
    const std::vector<int32_t> &lengths = *name == 'q' || *name == 'd' ? queries : keys;
    for (int64_t b = 0; b < tensor.shape[0]; ++b)
      for (int64_t h = 0; h < tensor.shape[1]; ++h)
        for (int64_t t = lengths[b]; t < tensor.shape[2]; ++t)
          for (int64_t c = 0; c < tensor.shape[3]; ++c)
            tensor.set(std::numeric_limits<double>::quiet_NaN(), b, h, t, c);
  }
  return std::move(call.lengths("q_len", queries).lengths("k_len", keys));
}

} // namespace

TEST_CASE("gradients of a linear branch, for every map and set", "[gradients]") {
  for (const char *map : {"softmax", "elu", "relu"})
    for (const char *over : {"marginal", "non_critical", "all"}) {
      INFO(map << " over " << over);
      checkGradients(withClasses(callOf("blended", {{"feature_map", map}, {"linear_over", over}, {"block", "16"}})));
    }
  for (double eps : {0.0, 0.25})
    checkGradients(GradientCall::make(programOf(specNamed("linear")), ragged, 1, {{"eps", eps}}));
}

TEST_CASE("gradients of a projection that lacks a weight", "[gradients]") {
  for (const char *absent : {"w", "bias"}) {
    GradientCall call = withClasses(callOf("blended", {{"block", "16"}}));
    std::erase_if(call.data.tensors, [&](const auto &entry) { return entry.first == absent; });
    CHECK(!call.differentiate().find(std::string("d") + absent));
    checkGradients(call);
  }
}

TEST_CASE("gradients of weights in f64 are exact", "[gradients]") {
  GradientCall call = withClasses(callOf("blended", {{"block", "16"}}));
  auto weight = reference::OwnedTensor::make(DType::f64, {5, 5});
  for (int64_t e = 0; e < 5; ++e)
    for (int64_t c = 0; c < 5; ++c)
      weight.view().set(0.1 * static_cast<double>(e - 2 * c), e, c);
  checkGradients(call.set("w", std::move(weight)));
}

TEST_CASE("gradients of block means, pools and exact branches under one softmax", "[gradients]") {
  for (const char *queries : {"1", "5", "48"})
    checkGradients(withClasses(callOf("joint_branches", {{"block", "16"}, {"n", queries}})));
  checkGradients(withClasses(callOf("block_mean", {{"block_q", "16"}, {"block_k", "16"}})));
}

TEST_CASE("gradients of pools with weights, one in several pools and some at the end of their axis", "[gradients]") {
  for (const char *stride : {"1", "7", "24"})
    checkGradients(callOf("weighted_pools", {{"stride", stride}}));
}

TEST_CASE("gradients of one table that weights keys and values and is read by a region", "[gradients]") {
  checkGradients(GradientCall::make(programOf({.text = R"(
tercet.spec @shared(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %t: !tercet.table<[kv_head, any], f32>) {
  %length = tercet.param length = 8 : !tercet.static<i64>
  %stride = tercet.param stride = 4 : !tercet.static<i64>
  %o = tercet.compressed %q, %k, %v pool(%length, %stride)
      weights(%t, %t : !tercet.table<[kv_head, any], f32>, !tercet.table<[kv_head, any], f32>) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %c: index):
    %x = tercet.read %t[%h, %c] : !tercet.table<[kv_head, any], f32>
    %y = arith.addf %s, %x : f32
    tercet.yield %y : f32
  }
  tercet.return %o
})"}),
                                    ragged));
}

TEST_CASE("gradients of heads that choose a branch, and of one that chooses none", "[gradients]") {
  GradientCall call = withClasses(callOf("heads_apart", {{"block", "16"}}));
  checkGradients(call);
  std::vector<double> dQ = valuesOf(call.differentiate(), "dq"); // the choices are 0, 1, 2, 0
  auto perHead = static_cast<size_t>(ragged.tokensQ * ragged.headDim);
  CHECK(std::all_of(dQ.begin() + 2 * perHead, dQ.begin() + 3 * perHead, [](double value) { return value == 0; }));
}

TEST_CASE("gradients under lengths, with NaN beyond them", "[gradients]") {
  for (const char *spec : {"dense", "blended", "joint_branches", "weighted_pools", "heads_apart", "pooled_queries",
                           "causal_sla", "gated_branches", "bias"})
    for (const auto &[queries, keys] : {std::pair<std::vector<int32_t>, std::vector<int32_t>>{{43, 20}, {33, 70}},
                                        {{16, 0}, {48, 9}},
                                        {{31, 43}, {40, 0}}}) {
      bool classifies = callOf(spec).program.selection.has_value();
      GradientCall call = shortened(callOf(spec, classifies ? Settings{{"block", "16"}} : Settings{}), queries, keys);
      INFO(spec << ", " << queries[0] << " and " << queries[1] << " queries, " << keys[0] << " and " << keys[1]
                << " keys");
      reference::Gradients gradients = call.differentiate();
      for (const Slope &slope : slopesOf(call, gradients)) {
        INFO(slope.name << ": error " << slope.error);
        CHECK(slope.passed());
      }
      auto isZeroBeyond = [&](const char *name, const std::vector<int32_t> &lengths) {
        const reference::Gradient &gradient = *gradients.find(name);
        for (size_t index = 0; index < gradient.values.size(); ++index) {
          auto token = static_cast<int64_t>(index) / gradient.shape[3] % gradient.shape[2];
          auto batch = static_cast<int64_t>(index) / gradient.shape[3] / gradient.shape[2] / gradient.shape[1];
          if (token >= lengths[batch] && gradient.values[index] != 0)
            return false;
        }
        return true;
      };
      CHECK(isZeroBeyond("dq", queries));
      CHECK(isZeroBeyond("dk", keys));
      CHECK(isZeroBeyond("dv", keys));
    }
}
