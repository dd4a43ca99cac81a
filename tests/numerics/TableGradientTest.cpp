// Gradients of tables that score regions and gates read (docs/gradients.md#regions), by compiled kernels against the oracle, within the
// contract.
#include "GradientRun.h"

using namespace tercet;
using namespace tercet::test;

/// Several row tiles, tails on both sides, heads in groups.
static const reference::Shape shape{
    .batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 70, .tokensK = 75, .headDim = 16, .valueDim = 20};
/// Several super rows.
static const reference::Shape longShape{
    .batch = 1, .heads = 2, .headsKV = 1, .tokensQ = 250, .tokensK = 70, .headDim = 16};

/// A run whose table has one entry along some axes, which serves every index.
static GradientRun withExtents(const Case &entry, const char *table, std::vector<int64_t> extents) {
  GradientRun run(entry);
  run.withTables();
  run.replace(table, remapped(run[table], std::move(extents), [](Index4 at) { return at; }));
  return run;
}

static void checkRun(GradientRun &run, const Case &entry) {
  for (const std::string &target : cpuTargets()) {
    run.run(target, 2);
    reference::Verdict verdict = run.verdict();
    INFO(target << " " << entry.name << " " << entry.describe() << ": " << reference::describe(verdict));
    CHECK(verdict.passed);
  }
}

TEST_CASE("gradients of slopes and of tables by query, by key, by distance and by pair", "[gradient]") {
  for (const char *spec : {"alibi", "temperature", "scaled_scores", "relative_bias", "bias", "document_bands"})
    for (double scale : {1.0, 16.0})
      checkOnCpus({.name = "tables", .spec = spec, .shape = scale == 1 ? longShape : shape, .scale = scale});
}

TEST_CASE("gradients of several tables of a selection, of f32 and of 16 bits", "[gradient]") {
  for (auto [dtype, block] : {std::pair{DType::f32, "32"}, {DType::bf16, "48"}, {DType::f16, "64"}})
    checkOnCpus(
        {.name = "lists", .spec = "many_tables", .settings = {{"block", block}}, .shape = shape, .dtype = dtype});
}

TEST_CASE("gradients of tables see nothing beyond lengths and strides, and rows without a key give none",
          "[gradient]") {
  for (const char *spec : {"alibi", "scaled_scores", "relative_bias", "bias", "many_tables"})
    checkOnCpus({.name = "lengths",
                 .spec = spec,
                 .shape = {.batch = 3, .heads = 4, .headsKV = 2, .tokensQ = 70, .tokensK = 90, .headDim = 24},
                 .queryLengths = {0, 50, 70},
                 .keyLengths = {77, 65, 0},
                 .layout = Layout::padded,
                 .poison = true,
                 .seed = 2});
}

TEST_CASE("an entry that serves every index along an axis gets what all of them give", "[gradient]") {
  Case entry{.name = "broadcast", .spec = "bias", .shape = longShape};
  entry.shape.batch = 2;
  for (const std::vector<int64_t> &extents : std::vector<std::vector<int64_t>>{
           {1, 2, 250, 70}, {1, 1, 250, 70}, {2, 1, 1, 70}, {1, 1, 250, 1}, {1, 1, 1, 1}}) {
    GradientRun run = withExtents(entry, "bias", extents);
    checkRun(run, entry);
  }
  entry.spec = "scaled_scores";
  GradientRun run = withExtents(entry, "gate", {1, 1, 1});
  checkRun(run, entry);
  entry.spec = "pooled_queries";
  GradientRun gate = withExtents(entry, "g", {2, 1, 250, 1});
  checkRun(gate, entry);
}

TEST_CASE("gradients of gates by feature and by query, and of tables under them", "[gradient]") {
  for (DType dtype : {DType::f32, DType::bf16})
    checkOnCpus({.name = "gates", .spec = "gated_tables", .shape = shape, .dtype = dtype});
  checkOnCpus({.name = "gates",
               .spec = "gated_tables",
               .shape = shape,
               .queryLengths = {70, 40},
               .keyLengths = {50, 65},
               .layout = Layout::padded,
               .poison = true,
               .seed = 2});
}

TEST_CASE("gradients of a gate under a token order", "[gradient]") {
  checkOnCpus({.name = "order",
               .spec = "vsa",
               .parameters = {{"keep", 0.4}, {"frames", 3}, {"height", 5}, {"width", 5}},
               .shape = {.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 80, .tokensK = 80, .headDim = 24},
               .layout = Layout::padded});
}

TEST_CASE("gradients of tables have the same bits on any number of threads", "[gradient]") {
  using Names = std::vector<std::string>;
  for (const auto &[spec, names] :
       {std::pair<const char *, Names>{"many_tables", {"pairs", "distances", "buckets", "gains"}},
        {"gated_tables", {"channels", "shares", "slopes", "runs"}},
        {"alibi", {"slopes"}}}) {
    GradientRun run({.name = "threads", .spec = spec, .shape = shape});
    run.withTables();
    for (const std::string &target : cpuTargets()) {
      std::vector<std::vector<double>> alone;
      run.run(target, 1);
      for (const std::string &name : names)
        alone.push_back(run.made("d" + name));
      for (int threads : {3}) {
        run.run(target, threads);
        for (size_t index = 0; index < names.size(); ++index) {
          INFO(target << " d" << names[index] << " on " << threads << " threads");
          CHECK(run.made("d" + names[index]) == alone[index]);
        }
      }
    }
  }
}

TEST_CASE("gradients of tokens have the same bits whether those of tables are asked for or not", "[gradient]") {
  for (const char *spec : {"many_tables", "gated_tables"}) {
    Case entry{.name = "alone", .spec = spec, .shape = shape};
    GradientRun run(entry);
    for (const std::string &target : cpuTargets()) {
      Gradients alone = run.run(target, 2);
      checkSame(run.withTables().run(target, 2), alone);
      run = GradientRun(entry);
    }
  }
}
