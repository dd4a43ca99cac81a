// Gradients of tables that score regions, gates and pools read (docs/gradients.md#regions) in the simulator, against the oracle by the
// contract of docs/numerics.md: the cases of CPUs (numerics/TableGradientTest.cpp).
#include "gpu/SimulatedGradients.h"

using namespace tercet;
using namespace tercet::test;

/// Several row tiles, tails on both sides, heads in groups.
static const reference::Shape shape{
    .batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 70, .tokensK = 75, .headDim = 16, .valueDim = 24};
/// Several blocks of rows.
static const reference::Shape longShape{
    .batch = 1, .heads = 2, .headsKV = 1, .tokensQ = 250, .tokensK = 70, .headDim = 16};

static const char *target = "sim:sm_80";

static void checkRun(const Case &entry, const char *table, std::vector<int64_t> extents) {
  GradientRun run(entry);
  run.withTables();
  run.replace(table, remapped(run[table], std::move(extents), [](Index4 at) { return at; }));
  gradientsOf(backendFor(target), run);
  reference::Verdict verdict = run.verdict(entry.dtype);
  INFO(entry.describe() << ": " << reference::describe(verdict));
  CHECK(verdict.passed);
}

TEST_CASE("gradients of slopes and of tables by query, by key, by distance and by pair in the simulator", "[tables]") {
  for (const char *spec : {"alibi", "temperature", "scaled_scores", "relative_bias", "bias", "document_bands"})
    for (DType dtype : {DType::f32, DType::bf16})
      checkByContract(backendFor(target), {.name = "tables", .spec = spec, .shape = longShape, .dtype = dtype});
  for (const char *spec : {"alibi", "temperature", "relative_bias"})
    checkByContract(backendFor(target),
                    {.name = "tables", .spec = spec, .shape = shape, .dtype = DType::f32, .scale = 16});
}

TEST_CASE("gradients of several tables of a selection in the simulator", "[tables]") {
  for (auto [dtype, block] : {std::pair{DType::f32, "32"}, {DType::bf16, "48"}, {DType::f16, "64"}})
    checkByContract(
        backendFor(target),
        {.name = "lists", .spec = "many_tables", .settings = {{"block", block}}, .shape = shape, .dtype = dtype});
}

TEST_CASE("gradients of tables in the simulator see nothing beyond lengths and strides", "[tables]") {
  for (const char *spec : {"alibi", "scaled_scores", "relative_bias", "bias", "many_tables", "gated_tables"})
    checkByContract(backendFor(target),
                    {.name = "lengths",
                     .spec = spec,
                     .shape = {.batch = 3, .heads = 4, .headsKV = 2, .tokensQ = 70, .tokensK = 90, .headDim = 24},
                     .dtype = DType::bf16,
                     .queryLengths = {0, 50, 70},
                     .keyLengths = {77, 65, 0},
                     .layout = Layout::tokensFirst,
                     .poison = true,
                     .seed = 2});
}

TEST_CASE("an entry that serves every index along an axis gets what all of them give in the simulator", "[tables]") {
  Case entry{.name = "broadcast", .spec = "bias", .shape = longShape, .dtype = DType::f32};
  entry.shape.batch = 2;
  for (const std::vector<int64_t> &extents :
       std::vector<std::vector<int64_t>>{{1, 2, 250, 70}, {1, 1, 250, 70}, {2, 1, 1, 70}, {1, 1, 250, 1}, {1, 1, 1, 1}})
    checkRun(entry, "bias", extents);
  entry.spec = "scaled_scores";
  checkRun(entry, "gate", {1, 1, 1});
  entry.spec = "pooled_queries";
  checkRun(entry, "g", {2, 1, 250, 1});
}

TEST_CASE("gradients of gates by feature and by query in the simulator, and of tables under them", "[tables]") {
  for (DType dtype : {DType::f32, DType::bf16})
    checkByContract(backendFor(target), {.name = "gates", .spec = "gated_tables", .shape = shape, .dtype = dtype});
}

TEST_CASE("gradients of tables in the simulator have the same bits run after run", "[tables]") {
  using Names = std::vector<std::string>;
  for (const auto &[spec, names] :
       {std::pair<const char *, Names>{"many_tables", {"pairs", "distances", "buckets", "gains"}},
        {"gated_tables", {"channels", "shares", "slopes", "runs"}},
        {"weighted_pools", {"of_keys", "of_values"}}}) {
    GradientRun run({.name = "again", .spec = spec, .shape = shape, .dtype = DType::bf16});
    run.withTables();
    std::vector<std::vector<double>> first;
    for (bool adversarial : {false, true})
      for (size_t index = 0; index < names.size(); ++index) {
        if (index == 0)
          gradientsOf(backendFor(target, adversarial), run);
        if (!adversarial)
          first.push_back(run.made("d" + names[index]));
        INFO(spec << " d" << names[index]);
        CHECK(run.made("d" + names[index]) == first[index]);
      }
  }
}

TEST_CASE("a table by batch entry has the same gradient wherever in the batch that is", "[tables]") {
  for (const char *spec : {"scaled_scores", "bias"}) {
    Case entry{.name = "places", .spec = spec, .shape = shape, .dtype = DType::bf16};
    entry.shape.batch = 1;
    GradientRun one(entry);
    one.withTables();
    gradientsOf(backendFor(target), one);
    entry.shape.batch = 3;
    GradientRun all(entry);
    all.withTables();
    all.copyTokens(one, /*sameHead=*/true);
    std::vector<std::string> names =
        std::string_view(spec) == "bias" ? std::vector<std::string>{"bias"} : std::vector<std::string>{"gate", "shift"};
    for (const std::string &name : names)
      all.replace(name, remapped(one[name], all.shapeOf(name), [](Index4 at) {
                    at[0] = 0;
                    return at;
                  }));
    gradientsOf(backendFor(target), all);
    for (const std::string &name : names) {
      std::vector<double> expected = one.made("d" + name), got = all.made("d" + name);
      INFO(spec << " d" << name);
      REQUIRE(got.size() == 3 * expected.size());
      for (size_t index = 0; index < got.size(); ++index)
        REQUIRE(got[index] == expected[index % expected.size()]);
    }
  }
}

TEST_CASE("gradients of tokens in the simulator have the same bits whether those of tables are asked for or not",
          "[tables]") {
  for (const char *spec : {"many_tables", "gated_tables"}) {
    Case entry{.name = "alone", .spec = spec, .shape = shape, .dtype = DType::bf16};
    GradientRun alone(entry), run(entry);
    run.withTables();
    Gradients expected = gradientsOf(backendFor(target), alone);
    checkSame(gradientsOf(backendFor(target), run), expected);
  }
}

TEST_CASE("kernels of gradients of tables in any legal order of events, with races looked for", "[tables]") {
  for (const char *spec : {"alibi", "relative_bias", "bias", "nsa/16"})
    for (const char *arch : {"sim:sm_80", "sim:sm_90a"})
      checkByContract(backendFor(arch, /*adversarial=*/true),
                      {.name = "adversarial",
                       .spec = spec,
                       .shape = {.batch = 1, .heads = 2, .headsKV = 1, .tokensQ = 150, .tokensK = 140, .headDim = 64},
                       .dtype = DType::bf16});
}

TEST_CASE("kernels of gradients of tables keep their registers and have no stack", "[tables]") {
  for (const char *spec : {"alibi", "relative_bias", "bias"})
    for (const char *arch : {"sm_80", "sm_90a"})
      checkResources(spec, arch, 128, DType::bf16);
}
