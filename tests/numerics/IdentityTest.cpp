// Identities between specs (docs/numerics.md#identities): what one spec must give because another does, on every
// backend.
#include "RunSpec.h"

using namespace tercet;
using namespace tercet::test;

namespace {

const reference::Shape shape{.batch = 2, .heads = 2, .tokensQ = 90, .tokensK = 135, .headDim = 32, .valueDim = 24};
const std::map<std::string, std::string> blocks = {{"block_q", "16"}, {"block_k", "16"}};

/// q, k, v of the shape, without weights.
reference::Data tokens(Content content = Content::normal) {
  Case entry{.name = "identity", .spec = "block_mean", .settings = blocks, .shape = shape, .content = content};
  return std::move(prepare(entry).inputs);
}

Arguments with(const reference::Data &data, std::vector<std::pair<std::string, double>> parameters) {
  Arguments arguments = data.arguments();
  arguments.parameters = std::move(parameters);
  return arguments;
}

} // namespace

TEST_CASE("keep = 1 is dense attention", "[identity]") {
  reference::Data data = tokens();
  for (Backend *backend : backends()) {
    INFO(backend->name());
    Ran dense = runSpec(*backend, specNamed("dense"), data.arguments());
    for (const char *spec : {"sparse_topk", "sla", "sla_non_critical", "block_mean"}) {
      INFO(spec);
      auto parameters = std::vector<std::pair<std::string, double>>{{"keep", 1}};
      if (std::string(spec) != "sparse_topk")
        parameters.emplace_back("drop", 0);
      Ran ran = runSpec(*backend, specNamed(spec, blocks), with(data, parameters));
      CHECK(distance(ran.o, dense.o) <= reordered);
      CHECK(distance(ran.lse, dense.lse) <= reordered);
    }
  }
}

TEST_CASE("dropping the rest leaves the sparse part alone", "[identity]") {
  reference::Data data = tokens();
  auto settings = blocks;
  settings["count_rule"] = "ceil"; // 0.4 and 0.6 of 9 blocks: all of them
  for (Backend *backend : backends()) {
    INFO(backend->name());
    Ran sparse = runSpec(*backend, specNamed("sparse_topk", settings), with(data, {{"keep", 0.4}}));
    for (const char *spec : {"sla", "block_mean"}) {
      INFO(spec);
      Ran ran = runSpec(*backend, specNamed(spec, settings), with(data, {{"keep", 0.4}, {"drop", 0.6}}));
      CHECK(distance(ran.o, sparse.o) <= reordered);
      CHECK(distance(ran.lse, sparse.lse) <= reordered);
    }
  }
}

TEST_CASE("keep = 0 leaves the linear part alone", "[identity]") {
  reference::Data data = tokens();
  for (Backend *backend : backends()) {
    INFO(backend->name());
    Ran linear = runSpec(*backend, specNamed("linear_dense"), data.arguments());
    for (const char *spec : {"sla", "sla_non_critical", "linear_branch"}) {
      INFO(spec);
      Ran ran = runSpec(*backend, specNamed(spec, blocks), with(data, {{"keep", 0}, {"drop", 0}}));
      CHECK(distance(ran.o, linear.o) <= reordered);
      for (double lse : ran.lse)
        CHECK(lse == -INFINITY);
    }
  }
}

TEST_CASE("without a marginal block the linear branch is exactly zero", "[identity]") {
  for (Backend *backend : backends())
    for (Given given : {Given::allCritical, Given::allNegligible}) {
      INFO(backend->name());
      Case entry{.name = "identity", .spec = "linear_branch", .settings = blocks, .shape = shape, .given = given};
      PreparedCase prepared = prepare(entry);
      Ran ran = runSpec(*backend, prepared.spec, prepared.arguments);
      CHECK(ran.o == std::vector<double>(ran.o.size(), 0.0));
    }
}

TEST_CASE("means of blocks of equal tokens are dense attention", "[identity]") {
  reference::Data data = tokens(Content::repeated);
  for (Backend *backend : backends()) {
    INFO(backend->name());
    Ran dense = runSpec(*backend, specNamed("dense"), data.arguments());
    for (double keep : {0.0, 0.5}) {
      Ran ran = runSpec(*backend, specNamed("block_mean", blocks), with(data, {{"keep", keep}, {"drop", 0}}));
      CHECK(distance(ran.o, dense.o) <= reordered);
      CHECK(distance(ran.lse, dense.lse) <= reordered);
    }
  }
}

TEST_CASE("the classes that a run reports give the same result when handed in", "[identity]") {
  reference::Data data = tokens();
  for (Backend *backend : backends())
    for (const char *spec : {"sla", "sla_all", "block_mean"}) {
      INFO(backend->name() << " " << spec);
      Ran selected = runSpec(*backend, specNamed(spec, blocks), with(data, {{"keep", 0.3}, {"drop", 0.2}}));
      Tensor classes = Tensor::contiguous(selected.classes.data(), DType::i8, {2, 2, 6, 9});
      Ran given =
          runSpec(*backend, specNamed(spec, blocks), test::with(with(data, {{"keep", 0.9}}), {{"classes", classes}}));
      CHECK(given.o == selected.o);
      CHECK(given.lse == selected.lse);
    }
}
