// What holds for gradients of any spec: empty rows, groups of heads, threads, rounding; and the calls that are refused.
#include "FiniteDifference.h"
#include "Tiny.h"

#include "support/SpecSource.h"

#include <thread>

using namespace tercet;
using namespace tercet::reference;
using namespace tercet::test;

namespace {

GradientCall callOf(const std::string &spec, const Shape &shape,
                    std::vector<std::pair<std::string, double>> parameters = {}) {
  return GradientCall::make(programOf(specNamed(spec)), shape, 1, std::move(parameters));
}

bool allZero(const std::vector<double> &values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return value == 0; });
}

double distanceOf(const std::vector<double> &got, const std::vector<double> &right) {
  double error = 0, size = 0;
  for (size_t index = 0; index < right.size(); ++index) {
    error += (got[index] - right[index]) * (got[index] - right[index]);
    size += right[index] * right[index];
  }
  return std::sqrt(error / size);
}

void refuse(const GradientCall &call, const std::string &says) {
  auto gradients = differentiate(call.program, call.arguments());
  REQUIRE(!gradients.ok());
  CHECK(gradients.status().code() == Code::invalidArgument);
  CHECK_THAT(std::string(gradients.status().message()), Catch::Contains(says));
}

} // namespace

TEST_CASE("one pair by hand", "[gradients]") {
  // Two keys: p = 1 / (1 + e^-1), o = p v0 + (1 - p) v1, dS = p (1 - p) (v0 - v1).
  Program program = programOf(specNamed("dense"));
  Tiny tiny;
  tiny.tokens("q", {{2}}).tokens("k", {{1}, {0.5}}).tokens("v", {{3}, {-1}}).tokens("do", {{0.5}});
  auto gradients = differentiate(program, tiny.arguments());
  REQUIRE(gradients.ok());
  double p = 1 / (1 + std::exp(-1.0)), dS = 0.5 * p * (1 - p) * 4;
  CHECK(valuesOf(*gradients, "dq")[0] == near(dS * 0.5));
  CHECK(valuesOf(*gradients, "dk")[0] == near(dS * 2));
  CHECK(valuesOf(*gradients, "dk")[1] == near(-dS * 2));
  CHECK(valuesOf(*gradients, "dv")[0] == near(0.5 * p));
  CHECK(valuesOf(*gradients, "dv")[1] == near(0.5 * (1 - p)));
}

TEST_CASE("a row without a live key has no gradient", "[gradients]") {
  // Ends aligned: with more queries than keys the first rows see nothing.
  Program program = programOf(specNamed("causal", {{"align_ends", "true"}}));
  GradientCall call = GradientCall::make(program, {.heads = 2, .tokensQ = 20, .tokensK = 12, .headDim = 4});
  checkGradients(call);
  std::vector<double> dQ = valuesOf(call.differentiate(), "dq");
  CHECK(allZero({dQ.begin(), dQ.begin() + 8 * 4}));
  CHECK(!allZero({dQ.begin() + 9 * 4, dQ.begin() + 10 * 4}));
}

TEST_CASE("features that are all 0 give no gradient, not NaN", "[gradients]") {
  Program program = programOf(specNamed("linear", {{"feature_map", "relu"}}));
  GradientCall call = GradientCall::make(program, {.heads = 2, .tokensQ = 6, .tokensK = 5, .headDim = 4});
  for (double below : {-1.0, 0.0}) {
    for (int64_t c = 0; c < 4; ++c)
      call.data["q"].set(c == 1 ? -1 : below, 0, 1, 3, c);
    std::vector<double> dQ = valuesOf(call.differentiate(), "dq");
    CHECK(allZero({dQ.begin() + 9 * 4, dQ.begin() + 10 * 4}));
    if (below < 0) // at 0 the row jumps
      checkGradients(call);
  }
  for (int64_t t = 0; t < 5; ++t)
    for (int64_t c = 0; c < 4; ++c)
      call.data["k"].set(-1, 0, 0, t, c);
  Gradients gradients = call.differentiate();
  for (const char *name : {"dq", "dk", "dv"}) {
    const std::vector<double> &values = valuesOf(gradients, name);
    CHECK(allZero({values.begin(), values.begin() + values.size() / 2})); // of head 0
    CHECK(std::none_of(values.begin(), values.end(), [](double value) { return std::isnan(value); }));
  }
}

TEST_CASE("dO = 0 gives gradients of 0", "[gradients]") {
  for (const char *spec : {"sla", "nsa", "weighted_pools", "bias"}) {
    Shape shape{.heads = 2, .tokensQ = 80, .headDim = 4};
    GradientCall call = callOf(spec, shape);
    call.set("do", OwnedTensor::make(DType::f64, {1, 2, 80, 4}));
    for (const Gradient &gradient : call.differentiate().list)
      CHECK(allZero(gradient.values));
  }
}

TEST_CASE("keys of a group of heads get the sum over its heads", "[gradients]") {
  Shape grouped{.heads = 6, .headsKV = 2, .tokensQ = 9, .tokensK = 11, .headDim = 4}, apart = grouped;
  apart.headsKV = 6;
  GradientCall call = callOf("dense", grouped), copied = callOf("dense", apart);
  for (const char *name : {"k", "v"})
    for (int64_t h = 0; h < 6; ++h)
      for (int64_t t = 0; t < 11; ++t)
        for (int64_t c = 0; c < 4; ++c)
          copied.data[name].set(call.data[name].get(0, h / 3, t, c), 0, h, t, c);
  Gradients gradients = call.differentiate(), perHead = copied.differentiate();
  CHECK(valuesOf(gradients, "dq") == valuesOf(perHead, "dq"));
  for (const char *name : {"dk", "dv"}) {
    const std::vector<double> &sums = valuesOf(gradients, name), &parts = valuesOf(perHead, name);
    for (size_t index = 0; index < sums.size(); ++index) {
      size_t head = index / 44 * 3 * 44, rest = index % 44;
      CHECK(sums[index] == near(parts[head + rest] + parts[head + 44 + rest] + parts[head + 88 + rest]));
    }
  }
}

TEST_CASE("threads change no bit of a gradient", "[gradients]") {
  GradientCall call = callOf("sla", {.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 100, .headDim = 4});
  Gradients alone = call.differentiate();
  auto backwards = [](int64_t count, const std::function<void(int64_t, int)> &body) {
    std::thread other([&] {
      for (int64_t item = count; item-- > count / 2;)
        body(item, 1);
    });
    for (int64_t item = count / 2; item-- > 0;)
      body(item, 0);
    other.join();
  };
  auto spread = differentiate(call.program, call.arguments(), {.parallelFor = backwards});
  REQUIRE(spread.ok());
  for (const Gradient &gradient : alone.list)
    CHECK(valuesOf(*spread, gradient.name) == gradient.values);
}

TEST_CASE("the plain evaluation differs by rounding, in every order", "[gradients]") {
  for (const char *spec : {"sla", "nsa", "mra2", "weighted_pools", "heads_apart"}) {
    GradientCall call = callOf(spec, {.heads = 2, .tokensQ = 130, .headDim = 24});
    Gradients right = call.differentiate();
    Tensor classes = Tensor::contiguous(right.classes.values.data(), DType::i8,
                                        {1, 2, right.classes.blocksQ, right.classes.blocksK});
    for (int order = 0; order < EvaluateOptions::plainOrders; ++order) {
      auto plain =
          differentiate(call.program, call.arguments(),
                        {.plain = true, .order = order, .classes = call.program.selection ? &classes : nullptr});
      REQUIRE(plain.ok());
      for (const Gradient &gradient : right.list) {
        double error = distanceOf(valuesOf(*plain, gradient.name), gradient.values);
        INFO(spec << " " << gradient.name << ", order " << order);
        CHECK(error < 3e-6);
        CHECK(error > 1e-9);
      }
    }
  }
}

TEST_CASE("tables that only choose have no gradient", "[gradients]") {
  using Names = std::vector<std::string>;
  auto inputs = [](const char *spec) { return differentiableInputs(programOf(specNamed(spec))); };
  CHECK(inputs("sla") == Names{"q", "k", "v", "w", "b"});
  CHECK(inputs("bias") == Names{"q", "k", "v", "bias"});
  CHECK(inputs("given_mask") == Names{"q", "k", "v"});
  CHECK(inputs("seerattention") == Names{"q", "k", "v"}); // scores of blocks
  CHECK(inputs("heads_apart") == Names{"q", "k", "v", "w", "bias"});
  CHECK(inputs("weighted_pools") == Names{"q", "k", "v", "of_keys", "of_values"});
  CHECK(inputs("nsa") == Names{"q", "k", "v", "gates"});
}

TEST_CASE("dO must be there, and be like o", "[gradients]") {
  GradientCall call = callOf("dense", {.heads = 2, .tokensQ = 9, .tokensK = 11, .headDim = 4, .valueDim = 6});
  refuse(std::move(call.set("do", OwnedTensor::make(DType::f32, {1, 2, 9, 4}))), "expected [1, 2, 9, 6] f64, as o");
  refuse(std::move(call.set("do", OwnedTensor::make(DType::i32, {1, 2, 9, 6}))), "do is [1, 2, 9, 6] i32");
  std::erase_if(call.data.tensors, [](const auto &entry) { return entry.first == "do"; });
  refuse(call, "the tensor do is missing");
}

TEST_CASE("gradients are written in the dtype of their tensors, once all are checked", "[gradients]") {
  GradientCall call = callOf("sla", {.heads = 2, .tokensQ = 70, .headDim = 4});
  Data outputs;
  auto add = [&](const char *name, DType dtype, std::vector<int64_t> shape) {
    outputs.tensors.emplace_back(name, OwnedTensor::make(dtype, std::move(shape)));
  };
  add("o", DType::f32, {1}); // not a gradient: ignored
  add("dk", DType::f32, {1, 2, 70, 4});
  add("dw", DType::f64, {4, 4});
  REQUIRE(runGradients(call.program, call.arguments(), outputs.arguments()).ok());
  Gradients gradients = call.differentiate();
  CHECK(elementsOf(outputs["dw"]) == valuesOf(gradients, "dw"));
  CHECK(distanceOf(elementsOf(outputs["dk"]), valuesOf(gradients, "dk")) < 1e-7);

  auto refused = [&](const std::string &says) {
    Status status = runGradients(call.program, call.arguments(), outputs.arguments());
    CHECK_THAT(std::string(status.message()), Catch::Contains(says));
  };
  add("db", DType::f32, {5});
  refused("db is [5] f32; expected [4] f32");
  outputs.tensors.pop_back();
  std::erase_if(call.data.tensors, [](const auto &entry) { return entry.first == "w"; });
  refused("dw is asked for, but w is not given");
  outputs.tensors.resize(1);
  refused("no gradient is asked for; sla has dq, dk, dv, dw, db");
}
