// The ways to sum the state of a linear set: block by block, or from tables of subset sums. Both must be right over
// segments and tails, and where key blocks differ much in size.
#include "RunSpec.h"

#include "tercet/Builtins.h"
#include "tercet/Jit.h"

#include <cstddef>

using namespace tercet;
using namespace tercet::test;

namespace {

/// The cpu target with one way in its plans: subset 1 adds blocks, more adds table entries, 0 is the plan's own choice.
class WayBackend : public Backend {
public:
  explicit WayBackend(int64_t subset) : subset(subset) {}
  std::string name() const override { return fmt::format("cpu, runs of {} blocks", subset); }

  Status run(const Spec &spec, const Problem &problem, const Arguments &inputs, const Arguments &outputs,
             int threads) override {
    TERCET_TRY(Artifact artifact, makeCompiler()->compile(spec, problem));
    if (subset)
      REQUIRE(choose(artifact.modules.front().plan.nodes) == 3);
    TERCET_TRY(std::unique_ptr<Session> session, Session::create({.threads = threads, .useCache = false}));
    TERCET_TRY(std::shared_ptr<Kernel> kernel, session->load(std::move(artifact)));
    Arguments arguments = inputs;
    for (const auto &[name, tensor] : outputs.tensors)
      arguments.tensors.emplace_back(name == "classes" ? "classes_out" : name, tensor);
    TERCET_TRY(size_t bytes, kernel->workspaceBytes(arguments));
    std::vector<float> memory(bytes / 4 + 16, std::nanf(""));
    void *workspace = reinterpret_cast<void *>((reinterpret_cast<uintptr_t>(memory.data()) + 63) / 64 * 64);
    return kernel->launch(arguments, workspace, bytes);
  }

private:
  int64_t subset;

  /// Sets the way in the nodes that know it; how many these are.
  int choose(std::vector<PlanNode> &nodes) {
    int found = 0;
    for (PlanNode &node : nodes) {
      found += choose(node.body);
      if (node.callee == "linear_sets")
        node.slots.at(offsetof(LinearSetsSlots, subset) / 8).value = subset;
      else if (node.callee == "aggregate" || node.callee == "aggregate_z")
        node.slots.back().value = subset;
      else
        continue;
      ++found;
    }
    return found;
  }
};

/// Key blocks of 16 tokens whose features grow by the power of two that the block's number picks.
reference::Data unevenBlocks(const reference::Shape &shape, const std::string &spec) {
  Case entry{.name = "aggregation", .spec = spec, .shape = shape, .seed = 7};
  reference::Data data = std::move(prepare(entry).inputs);
  const Tensor &k = data["k"];
  for (int64_t b = 0; b < k.shape[0]; ++b)
    for (int64_t h = 0; h < k.shape[1]; ++h)
      for (int64_t i = 0; i < k.shape[2]; ++i)
        for (int64_t j = 0; j < k.shape[3]; ++j)
          k.set(k.get(b, h, i, j) * std::exp2(static_cast<double>(i / 16 * 5 % 7) - 4), b, h, i, j);
  return data;
}

} // namespace

TEST_CASE("adding blocks and adding subset sums give what the oracle gives", "[aggregation]") {
  // Many rows, one segment with a ragged end; few rows, two segments.
  for (auto [queries, keys] : {std::pair{700, 517}, {37, 8700}})
    for (const char *spec : {"sla", "sla_non_critical"})
      for (const char *map : {"softmax", "elu", "relu"}) {
        reference::Shape shape{
            .batch = 1, .heads = 2, .headsKV = 1, .tokensQ = queries, .tokensK = keys, .headDim = 48};
        reference::Data data = unevenBlocks(shape, spec);
        Arguments inputs = data.arguments();
        inputs.parameters = {{"keep", 0.1}};
        Spec chosen = specNamed(spec, {{"block_q", "16"}, {"block_k", "16"}, {"feature_map", map}});
        Ran exact = runSpec(*backends().front(), chosen, inputs);
        for (int64_t subset : {1, 4, 0}) {
          WayBackend way(subset);
          INFO(way.name() << ", " << spec << " " << map << ", " << queries << " x " << keys);
          Ran ran = runSpec(way, chosen, inputs, 2);
          CHECK(ran.classes == exact.classes);
          CHECK(distance(ran.o, exact.o) <= 1e-5);
        }
      }
}

TEST_CASE("rows without a linear set leave no trace of unwritten states", "[aggregation]") {
  reference::Shape shape{.batch = 2, .heads = 2, .headsKV = 2, .tokensQ = 600, .tokensK = 600, .headDim = 16};
  reference::Data data = unevenBlocks(shape, "sla");
  // Every third row of blocks is all critical, and so is all of the second batch.
  reference::OwnedTensor classes = reference::OwnedTensor::make(DType::i8, {2, 2, 38, 38});
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t h = 0; h < 2; ++h)
      for (int64_t i = 0; i < 38; ++i)
        for (int64_t j = 0; j < 38; ++j)
          classes.view().set(b == 1 || i % 3 == 0 ? 1 : (i + j) % 4 == 0 ? 1 : 0, b, h, i, j);
  Arguments inputs = with(data.arguments(), {{"classes", classes.view()}});
  Spec sla = specNamed("sla", {{"block_q", "16"}, {"block_k", "16"}});
  Ran exact = runSpec(*backends().front(), sla, inputs);
  for (int64_t subset : {1, 4}) {
    WayBackend way(subset);
    INFO(way.name());
    CHECK(distance(runSpec(way, sla, inputs).o, exact.o) <= 1e-5);
  }
}
