// Scores handed in: whatever they hold and however they lie, every backend selects as the rule says.
#include "support/Backend.h"
#include "support/Case.h"
#include "tercet/dialect/reference/Elements.h"

#include <catch2/catch.hpp>

#include <limits>

using namespace tercet;
using namespace tercet::test;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::pair<const char *, double> rules[] = {{"top_fraction", 0.3}, {"top_count", 3},  {"top_mass", 0.45},
                                                     {"above", 0.12},       {"relative", 0.6}, {"percentile", 0.7},
                                                     {"within_mass", 0.6}};
constexpr const char *scopes[] = {"row", "head", "all_heads", "group"};

Case routed(const char *rule, double keep, const char *scope) {
  return {.name = "scores handed in",
          .spec = std::string("routed:") + rule,
          .settings = {{"scope", scope}},
          .parameters = {{"keep", keep}},
          .shape = {.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 70, .tokensK = 150, .headDim = 16}};
}

/// Runs the case with `gate` as its scores and checks everything that the contract says.
void check(const Case &entry, const Tensor &gate) {
  for (Backend *backend : backends()) {
    INFO(backend->name() << ": " << entry.describe());
    PreparedCase prepared = prepare(entry);
    for (auto &[name, tensor] : prepared.arguments.tensors)
      if (name == "gate")
        tensor = gate;
    Status status = backend->run(prepared.spec, prepared.problem, prepared.arguments, prepared.outputs.arguments());
    INFO(status.message());
    REQUIRE(status.ok());
    auto verdict = reference::checkOutputs(prepared.program, prepared.arguments, prepared.outputs.arguments(),
                                           checkOptions(entry));
    INFO(verdict.status().message());
    REQUIRE(verdict.ok());
    INFO(reference::describe(*verdict));
    CHECK(verdict->passed);
  }
}

template <typename Value> void fill(const Tensor &gate, Value value) {
  reference::forEachElement(
      gate, [&](size_t index, int64_t b, int64_t h, int64_t i, int64_t j) { gate.set(value(index), b, h, i, j); });
}

} // namespace

TEST_CASE("scores that are NaN, infinite, equal or huge select as the limits say", "[given]") {
  reference::RandomStream random(1, "odd scores");
  for (auto [rule, keep] : rules)
    for (const char *scope : scopes) {
      reference::OwnedTensor gate = reference::OwnedTensor::make(DType::f32, {2, 4, 5, 10});
      constexpr double odd[] = {NAN, infinity, -infinity, -infinity, 0, -0.0, 1, 1, 3e38, -3e38};
      fill(gate.view(), [&](uint64_t index) {
        double choice = random.uniform(2 * index);
        return choice < 0.2 ? odd[static_cast<size_t>(choice * 50)] : std::round(random.normal(2 * index + 1) * 4);
      });
      check(routed(rule, keep, scope), gate.view());
    }
}

TEST_CASE("scores are read with any strides, and of one entry for all", "[given]") {
  reference::RandomStream random(2, "strided scores");
  auto normal = [&](uint64_t index) { return random.normal(index); };
  Case entry = routed("top_fraction", 0.3, "row");
  reference::OwnedTensor padded = reference::OwnedTensor::makeStrided(DType::f32, {2, 4, 5, 10}, {0, 1, 2, 3});
  fill(padded.view(), normal);
  check(entry, padded.view());
  reference::OwnedTensor turned = reference::OwnedTensor::make(DType::f32, {2, 4, 10, 5});
  fill(turned.view(), normal);
  Tensor view = turned.view();
  std::swap(view.shape[2], view.shape[3]);
  std::swap(view.strides[2], view.strides[3]);
  check(entry, view);
  for (int axis = 0; axis < 4; ++axis) {
    std::vector<int64_t> shape = {2, 4, 5, 10};
    shape[axis] = 1;
    reference::OwnedTensor broadcast = reference::OwnedTensor::make(DType::f32, shape);
    fill(broadcast.view(), normal);
    check(entry, broadcast.view());
  }
}
