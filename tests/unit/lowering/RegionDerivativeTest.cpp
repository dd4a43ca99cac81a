// Derivatives of score regions against difference quotients, op by op and chained.
#include "Interpreter.h"

#include "RegionDerivative.h"

#include "tercet/compiler/Frontend.h"

#include <catch2/catch.hpp>

#include <cmath>

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;
using namespace tercet::test;

namespace {

/// A score region whose body computes %y from %s, and its derivative.
class ScoreRegion {
public:
  explicit ScoreRegion(const std::string &body) : context(makeContext()) {
    std::string text = R"(tercet.spec @scored(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
    %o = tercet.sparse %q, %k, %v score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      %half = arith.constant 0.5 : f32
      %two = arith.constant 2.0 : f32
)" + body + R"(
      tercet.yield %y : f32
    }
    tercet.return %o
  })";
    Result<BoundSpec> loaded = loadSpec(*context, {.text = text, .origin = "scored"});
    INFO(body << "\n" << loaded.status().message());
    REQUIRE(loaded.ok());
    spec = *std::move(loaded);
    spec.spec->walk([&](ir::SparseOp sparse) { region = &sparse.getScore(); });
    Result<std::unique_ptr<Region>> derived = derivativeOf(*region, region->getArgument(0));
    INFO(derived.status().message());
    REQUIRE(derived.ok());
    derivative = *std::move(derived);
  }

  Region &body() { return *region; }
  float value(float s) { return evaluate(*region, s); }
  float slope(float s) { return evaluate(*derivative, s); }

private:
  std::unique_ptr<MLIRContext> context;
  BoundSpec spec;
  Region *region = nullptr;
  std::unique_ptr<Region> derivative;

  static float evaluate(Region &body, float s) {
    Interpreter interpreter(Interpreter::IndexWidth::region);
    Block &block = body.front();
    interpreter.set(block.getArgument(0), {0, s});
    for (unsigned position = 1; position < 5; ++position)
      interpreter.set(block.getArgument(position), {3, 0});
    interpreter.run(block);
    return interpreter.get(block.getTerminator()->getOperand(0)).real;
  }
};

} // namespace

TEST_CASE("derivatives of score regions are their difference quotients", "[derivative]") {
  const char *bodies[] = {
      "%y = arith.addf %s, %half : f32",
      "%y = arith.subf %half, %s : f32",
      "%y = arith.mulf %s, %s : f32",
      "%y = arith.divf %s, %two : f32",
      "%y = arith.divf %two, %s : f32",
      "%z = arith.addf %s, %two : f32\n %y = arith.divf %s, %z : f32",
      "%y = arith.negf %s : f32",
      "%y = math.fma %s, %s, %s : f32",
      "%z = arith.mulf %s, %two : f32\n %y = arith.maximumf %z, %half : f32",
      "%z = arith.mulf %s, %two : f32\n %y = arith.minnumf %s, %z : f32",
      "%c = arith.cmpf olt, %s, %half : f32\n %z = arith.mulf %s, %s : f32\n %y = arith.select %c, %z, %half : f32",
      "%y = math.exp %s : f32",
      "%y = math.exp2 %s : f32",
      "%y = math.log %s : f32",
      "%z = math.exp %s : f32\n %y = math.log2 %z : f32",
      "%y = math.tanh %s : f32",
      "%z = arith.divf %s, %two : f32\n %t = math.tanh %z : f32\n %y = arith.mulf %t, %two : f32",
      "%y = math.sqrt %s : f32",
      "%y = math.rsqrt %s : f32",
      "%z = arith.subf %s, %two : f32\n %y = math.absf %z : f32",
      "%z = math.floor %s : f32\n %y = arith.addf %s, %z : f32",
      "%x = arith.index_cast %i : index to i32\n %z = arith.sitofp %x : i32 to f32\n %y = arith.mulf %s, %z : f32",
      "%y = arith.addf %half, %two : f32",
  };
  for (const char *body : bodies) {
    ScoreRegion region(body);
    for (float s : {0.30f, 0.71f, 1.19f, 1.60f, 2.55f, 3.40f}) { // away from the steps
      constexpr float step = 1.0f / 128;
      float quotient = (region.value(s + step) - region.value(s - step)) / (2 * step);
      INFO(body << " at " << s);
      CHECK(region.slope(s) == Approx(quotient).epsilon(2e-3).margin(1e-4));
    }
  }
}

TEST_CASE("an op without a rule is refused, with its place", "[derivative]") {
  ScoreRegion region("%y = arith.addf %s, %half : f32");
  Operation *sum = region.body().front().getTerminator()->getOperand(0).getDefiningOp();
  OpBuilder builder(sum->getBlock()->getTerminator());
  Value sine = builder.create<math::SinOp>(sum->getLoc(), sum->getResult(0));
  sum->getBlock()->getTerminator()->setOperand(0, sine);
  Result<std::unique_ptr<Region>> derived = derivativeOf(region.body(), region.body().getArgument(0));
  REQUIRE(!derived.ok());
  CHECK(derived.status().code() == Code::invalidSpec);
  CHECK(derived.status().message() == "scored:6:6: math.sin of a value that a gradient goes through has no derivative");
}
