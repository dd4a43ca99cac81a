// Determinism (docs/numerics.md#determinism): the same bits on any number of threads and at any place in a batch.
#include "RunSpec.h"

using namespace tercet;
using namespace tercet::test;
using reference::OwnedTensor;

static const std::map<std::string, std::string> blocks = {{"block_q", "16"}, {"block_k", "16"}};
static const char *const specs[] = {"dense",   "sparse_topk", "sla",         "sla_non_critical",
                                    "sla_all", "block_mean",  "linear_dense"};

static Case caseFor(const std::string &spec, reference::Shape shape, DType dtype) {
  Case entry{.name = "determinism", .spec = spec, .shape = shape, .dtype = dtype};
  if (spec != "dense" && spec != "linear_dense") {
    entry.settings = blocks;
    entry.parameters = {{"keep", 0.3}};
  }
  return entry;
}

TEST_CASE("the same bits on any number of threads", "[determinism]") {
  const reference::Shape shape{.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 150, .tokensK = 210, .headDim = 32};
  for (Backend *backend : backends())
    for (DType dtype : {DType::f32, DType::bf16})
      for (const char *spec : specs) {
        PreparedCase prepared = prepare(caseFor(spec, shape, dtype));
        Ran alone = runSpec(*backend, prepared.spec, prepared.arguments, 1);
        for (int threads : {1, 2, 3, 7}) {
          INFO(backend->name() << " " << spec << " on " << threads << " threads");
          Ran ran = runSpec(*backend, prepared.spec, prepared.arguments, threads);
          CHECK(ran.o == alone.o);
          CHECK(ran.lse == alone.lse);
          CHECK(ran.classes == alone.classes);
        }
      }
}

TEST_CASE("the same bits at any place in a batch", "[determinism]") {
  const reference::Shape one{.heads = 1, .tokensQ = 100, .tokensK = 150, .headDim = 32};
  auto first = [](Index4 at) { return Index4{0, 0, at[2], at[3]}; };
  for (Backend *backend : backends())
    for (const char *spec : specs) {
      INFO(backend->name() << " " << spec);
      PreparedCase prepared = prepare(caseFor(spec, one, DType::f32));
      Ran alone = runSpec(*backend, prepared.spec, prepared.arguments);
      OwnedTensor q = remapped(prepared.inputs["q"], {3, 2, 100, 32}, first);
      OwnedTensor k = remapped(prepared.inputs["k"], {3, 2, 150, 32}, first);
      OwnedTensor v = remapped(prepared.inputs["v"], {3, 2, 150, 32}, first);
      Ran copies = runSpec(*backend, prepared.spec,
                           with(prepared.arguments, {{"q", q.view()}, {"k", k.view()}, {"v", v.view()}}));
      for (size_t index = 0; index < copies.o.size(); ++index)
        REQUIRE(copies.o[index] == alone.o[index % alone.o.size()]);
    }
}
