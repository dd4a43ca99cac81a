// Plans that pass the checks and still ask for what no machine has: sizes, grids, loops without end. Whoever estimates or
// launches one is told so, with the expression or the stage.
#include "SamplePlan.h"

#include "tercet/Builtins.h"
#include "tercet/rt/PlanEstimate.h"

#include <catch2/catch.hpp>

using namespace tercet;

namespace {

struct Hostile {
  Artifact artifact = test::samplePlanArtifact();
  Plan &plan = artifact.modules[0].plan;
  PlanNode &slices = plan.nodes[0].body[1];
  PlanNode &call = slices.body[0];
  Arguments arguments;

  Hostile() {
    auto tensor = [](std::initializer_list<int64_t> shape) { return Tensor::contiguous(nullptr, DType::f32, shape); };
    arguments.tensors = {{"q", tensor({1, 2, 5, 4})},
                         {"k", tensor({1, 1, 7, 4})},
                         {"v", tensor({1, 1, 7, 4})},
                         {"o", tensor({1, 2, 5, 4})}};
  }
  Result<rt::PlanEstimate> estimate() { return rt::estimatePlan(artifact, artifact.modules[0], arguments, {}, 2); }
  std::string refusal() {
    Result<rt::PlanEstimate> result = estimate();
    REQUIRE_FALSE(result.ok());
    CHECK(result.status().code() == Code::invalidArgument);
    return result.status().message();
  }
};

constexpr int64_t huge = int64_t{1} << 62;

} // namespace

TEST_CASE("the sample plan has an estimate", "[estimate]") {
  Hostile plan;
  Result<rt::PlanEstimate> estimate = plan.estimate();
  REQUIRE(estimate.ok());
  REQUIRE(estimate->nodes.size() == 2);
  CHECK(estimate->nodes[1].runs == 1);
  CHECK(estimate->nodes[1].items == 2);
}

TEST_CASE("grids beyond counting are refused", "[estimate]") {
  Hostile plan;
  plan.call.grid[0] = int64_t{1} << 32;
  plan.call.grid[1] = int64_t{1} << 31;
  CHECK(plan.refusal() ==
        "the tensors are too large: a grid of stage attend has an extent of 2147483648; legal are grids "
        "of at most 274877906944 items");
  plan.call.grid[1] = -1;
  CHECK_THAT(plan.refusal(), Catch::Contains("a grid of stage attend has an extent of -1;"));
}

TEST_CASE("groupings beyond any workspace are refused", "[estimate]") {
  for (Expr PlanGrouping::*part : {&PlanGrouping::unitBytes, &PlanGrouping::rowBytes, &PlanGrouping::budgetBytes,
                                   &PlanGrouping::slices, &PlanGrouping::rows, &PlanGrouping::itemsPerPair})
    for (int64_t value : {huge, -huge}) {
      Hostile plan;
      plan.plan.grouping.*part = value;
      CHECK(plan.refusal() ==
            fmt::format("the tensors are too large: {} is {}; legal are 0 to 70368744177664", value, value));
    }
  Hostile plan;
  plan.plan.grouping.rows = plan.plan.grouping.rowBytes = int64_t{1} << 40;
  CHECK_THAT(plan.refusal(), Catch::Contains("the states of a pair would take more than 70368744177664 bytes"));
}

TEST_CASE("loops that would run for years are refused", "[estimate]") {
  for (bool isEmpty : {false, true}) {
    Hostile plan;
    plan.plan.grouping.slices = int64_t{1} << 40;
    if (isEmpty)
      plan.slices.body.clear();
    CHECK(plan.refusal() ==
          "the tensors are too large: a launch would run more than 16777216 nodes and passes of loops");
  }
}

TEST_CASE("a tensor map may point anywhere in a workspace that is not there yet", "[estimate]") {
  Hostile plan;
  PlanTensorMap map;
  map.ofBuffer = true;
  map.dtype = DType::f64;
  map.sizes = {8};
  map.box = {8};
  plan.plan.buffers.push_back({"more", 64, "a second buffer, not at offset 0"});
  plan.call.slots.push_back({PlanSlot::Kind::tensorMap, "more", 0, map});
  CHECK(plan.estimate().ok());
  plan.call.slots.back().map.offset = huge;
  CHECK_THAT(plan.refusal(), Catch::Contains("4611686018427387904 is 4611686018427387904; legal are"));
}

TEST_CASE("scratch of builtins that overflows is refused", "[estimate]") {
  for (const auto &[name, slots, kernels] :
       {std::tuple("pack_keys", sizeof(PackKeysSlots) / 8, 0), std::tuple("select", sizeof(SelectSlots) / 8, 1)}) {
    Hostile plan;
    plan.call.kind = PlanNode::Kind::builtin;
    plan.call.callee = name;
    plan.call.slots.assign(slots, {PlanSlot::Kind::integer, "", huge});
    plan.call.kernels.assign(static_cast<size_t>(kernels), "scale_rows");
    CHECK(plan.refusal() == "the tensors are too large: scratch would take 9223372036854775807 bytes; at most "
                            "70368744177664 are possible");
  }
}

TEST_CASE("broadcast tensors have more elements than there are integers", "[estimate]") {
  Hostile plan;
  plan.plan.grouping.unitBytes = 16;
  for (size_t tensor : {1, 2}) {
    plan.arguments.tensors[tensor].second.shape[2] = huge;
    plan.arguments.tensors[tensor].second.strides = {0, 0, 0, 1};
  }
  plan.call.slots.push_back({PlanSlot::Kind::tensor, "k", 0});
  Result<rt::PlanEstimate> estimate = plan.estimate();
  REQUIRE(estimate.ok());
  CHECK(estimate->nodes[1].bytes > 1e19);
}
