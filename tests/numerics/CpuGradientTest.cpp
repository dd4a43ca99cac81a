// Gradients (docs/gradients.md) against plain loops in fp64, within the bounds of docs/numerics.md.
#include "GradientRun.h"

#include <filesystem>

using namespace tercet;
using namespace tercet::test;

static void checkCase(const Case &entry) {
  GradientRun run(entry);
  for (const std::string &target : cpuTargets()) {
    INFO(target << " " << entry.name << " " << entry.describe());
    Gradients got = run.run(target, 2);
    checkGradients(got, naiveGradients(run.naive()), entry.dtype);
  }
}

/// One tile of rows and less, several super rows; value dimensions of their own; grouped heads.
static const reference::Shape shapes[] = {
    {.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 150, .tokensK = 210, .headDim = 32},
    {.batch = 1, .heads = 1, .tokensQ = 5, .tokensK = 3, .headDim = 64},
    {.batch = 1, .heads = 2, .tokensQ = 61, .tokensK = 305, .headDim = 80, .valueDim = 48},
    {.batch = 1, .heads = 3, .headsKV = 1, .tokensQ = 490, .tokensK = 250, .headDim = 20, .valueDim = 7},
    {.batch = 1, .heads = 1, .tokensQ = 130, .tokensK = 129, .headDim = 128},
};

TEST_CASE("gradients of dense attention", "[gradient]") {
  for (const reference::Shape &shape : shapes)
    for (DType dtype : {DType::f32, DType::bf16, DType::f16})
      for (double scale : {1.0, 4.0})
        checkCase({.name = "dense", .spec = "dense", .shape = shape, .dtype = dtype, .scale = scale});
}

TEST_CASE("gradients see nothing beyond lengths and strides, and rows without a key have none", "[gradient]") {
  Case entry{.name = "lengths",
             .spec = "dense",
             .shape = {.batch = 3, .heads = 2, .headsKV = 1, .tokensQ = 130, .tokensK = 140, .headDim = 48},
             .queryLengths = {0, 100, 130},
             .keyLengths = {77, 129, 0},
             .layout = Layout::padded,
             .poison = true};
  for (DType dtype : {DType::f32, DType::bf16}) {
    entry.dtype = dtype;
    checkCase(entry);
  }
}

TEST_CASE("gradients of listed blocks", "[gradient]") {
  using Blocks = std::pair<const char *, const char *>;
  for (auto [bq, bk] : {Blocks{"16", "16"}, {"64", "64"}, {"128", "64"}, {"48", "80"}, {"256", "32"}})
    for (Given given : {Given::none, Given::random, Given::broadcast, Given::allCritical, Given::allNegligible})
      for (DType dtype : {DType::f32, DType::bf16}) {
        Case entry{.name = "lists",
                   .spec = "sparse_topk",
                   .settings = {{"block_q", bq}, {"block_k", bk}},
                   .parameters = {{"keep", 0.3}},
                   .shape = {.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 330, .tokensK = 290, .headDim = 24},
                   .dtype = dtype,
                   .queryLengths = {330, 200},
                   .keyLengths = {33, 290},
                   .given = given,
                   .poison = true};
        checkCase(entry);
      }
}

TEST_CASE("gradients have the same bits at any place in a batch", "[gradient]") {
  Case one{.name = "batch", .spec = "dense", .shape = {.heads = 1, .tokensQ = 250, .tokensK = 130, .headDim = 32}};
  Case many = one;
  many.shape.batch = 3;
  many.shape.heads = 2;
  GradientRun alone(one), copies(many);
  copies.copyTokens(alone, /*sameHead=*/false);
  for (const std::string &target : cpuTargets())
    checkCopies(copies.run(target, 2), alone.run(target));
}

TEST_CASE("gradients have the same bits on any number of threads, and run after run", "[gradient]") {
  checkThreads({.name = "threads", .spec = "dense", .shape = shapes[0]});
}

TEST_CASE("what has no derived gradient is refused", "[gradient]") {
  for (auto [spec, what] :
       {std::pair{"heads_apart", "a linear branch beside"}, {"joint_branches", "block means beside"}})
    for (Direction direction : {Direction::forward, Direction::backward}) {
      Result<Artifact> artifact =
          makeCompiler()->compile(specNamed(spec), {.headDim = 32, .valueDim = 32, .direction = direction});
      INFO(spec << ": " << artifact.status().message());
      REQUIRE(!artifact.ok());
      CHECK(artifact.status().code() == Code::invalidSpec);
      CHECK(artifact.status().message().find(what) != std::string::npos);
    }
}

TEST_CASE("gradients keep their size at large scores", "[gradient]") {
  for (DType dtype : {DType::f32, DType::bf16, DType::f16}) {
    GradientRun run({.name = "large", .spec = "dense", .shape = shapes[0], .dtype = dtype, .scale = 16});
    Gradients expected = naiveGradients(run.naive());
    for (const std::string &target : cpuTargets()) {
      Gradients got = run.run(target);
      for (auto of : {&Gradients::dq, &Gradients::dk, &Gradients::dv})
        CHECK(normOf(got.*of) / normOf(expected.*of) == Approx(1).margin(0.02));
    }
  }
}

// Hundreds of terms of one sign: each rounding is one of the whole sum, unless terms are added up in parts.
TEST_CASE("gradients of keys that all queries of several heads see", "[gradient]") {
  for (const char *spec : {"causal", "streaming"})
    checkOnCpus(
        {.name = "seen by all",
         .spec = spec,
         .shape = {.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 150, .tokensK = 150, .headDim = 24, .valueDim = 40},
         .seed = 0});
}

TEST_CASE("kernels of the backward are made for every level, whatever this machine runs", "[gradient]") {
  for (const char *target : {"cpu:v4", "cpu:v3", "cpu:portable"})
    for (const char *spec : {"dense", "sparse_topk", "softcap", "document_bands", "sla", "linear"})
      for (auto [headDim, valueDim] : {std::pair{64, 64}, {20, 7}, {112, 128}}) {
        Result<Artifact> artifact = makeCompiler()->compile(
            specNamed(spec),
            {.headDim = headDim, .valueDim = valueDim, .target = target, .direction = Direction::backward});
        INFO(target << " " << spec << ": " << artifact.status().message());
        CHECK(artifact.ok());
      }
}

static Result<Artifact> compileBackward(const Spec &spec) {
  return makeCompiler()->compile(
      spec, {.headDim = 64, .valueDim = 64, .target = "cpu:portable", .direction = Direction::backward});
}

TEST_CASE("every built-in spec has a backward, with query blocks of its own or of 16 tokens", "[gradient]") {
  for (const auto &file : std::filesystem::directory_iterator("dialect/specs")) {
    std::string name = file.path().stem();
    std::vector<Spec> specs = {specNamed(name)};
    if (specs.front().text.find("param block_q = 1 :") != std::string::npos)
      specs.push_back(specNamed(name, {{"block_q", "16"}}));
    for (const Spec &spec : specs) {
      Result<Artifact> artifact = compileBackward(spec);
      INFO(name << ": " << artifact.status().message());
      CHECK(artifact.ok());
    }
  }
}
