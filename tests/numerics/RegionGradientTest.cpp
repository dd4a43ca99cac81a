// The derivative of every op of regions: through a score region by differences, and by hand at points that have none.
#include "FiniteDifference.h"
#include "Tiny.h"

#include "support/SpecSource.h"

using namespace tercet;
using namespace tercet::reference;
using namespace tercet::test;

namespace {

/// A spec whose score region computes %y of the score %s and of an entry %x of the table `t`.
Program programWith(const std::string &body) {
  return programOf({.text = R"(tercet.spec @region(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens,
                                                    %t: !tercet.table<[head, query, key], f32>) {
    %scale = tercet.param scale = 0.25 : !tercet.runtime<f64>
    %o = tercet.sparse %q, %k, %v scale(%scale) score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      %x = tercet.read %t[%h, %i, %j] : !tercet.table<[head, query, key], f32>
      %half = arith.constant 0.5 : f32
      %one = arith.constant 1.0 : f32
      %key = arith.index_cast %j : index to i32
      %number = arith.sitofp %key : i32 to f32
      )" + body + R"(
      tercet.yield %y : f32
    }
    tercet.return %o
  })"});
}

/// Entries of the table lie near 3 and -3, beyond all scores: what compares both has no kink nearby.
GradientCall callWith(const std::string &body) {
  GradientCall call = GradientCall::make(programWith(body), {.heads = 2, .tokensQ = 9, .tokensK = 11, .headDim = 4});
  const Tensor &table = call.data["t"];
  for (int64_t h = 0; h < 2; ++h)
    for (int64_t i = 0; i < 9; ++i)
      for (int64_t j = 0; j < 11; ++j)
        table.set(table.get(h, i, j) / 4 + ((h + i + j) % 2 ? 3 : -3), h, i, j);
  return call;
}

void check(const std::string &body) {
  INFO(body);
  checkGradients(callWith(body));
}

/// The derivative of o by x and z, divided by that by what the region yields: one key yields `op` of both, one yields 0.
std::pair<double, double> byOperands(const std::string &op, float x, float z) {
  Program program = programOf({.text = R"(tercet.spec @tie(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens,
                                                           %t: !tercet.table<[any], f32>) {
    %o = tercet.sparse %q, %k, %v score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      %first = arith.constant 0 : index
      %second = arith.constant 1 : index
      %zero = arith.constant 0.0 : f32
      %x = tercet.read %t[%first] : !tercet.table<[any], f32>
      %z = tercet.read %t[%second] : !tercet.table<[any], f32>
      %w = )" + op + R"( : f32
      %is_first = arith.cmpi eq, %j, %first : index
      %y = arith.select %is_first, %w, %zero : f32
      tercet.yield %y : f32
    }
    tercet.return %o
  })"});
  Tiny tiny;
  tiny.tokens("q", {{1}}).tokens("k", {{1}, {1}}).tokens("v", {{1}, {0}}).tokens("do", {{1}});
  tiny.vector("t", DType::f32, {x, z});
  auto gradients = differentiate(program, tiny.arguments());
  INFO(gradients.status().message());
  REQUIRE(gradients.ok());
  double p = tiny.evaluate(program).result().o[0]; // dO / dy = p (1 - p)
  const std::vector<double> &dT = valuesOf(*gradients, "dt");
  return {dT[0] / (p * (1 - p)), dT[1] / (p * (1 - p))};
}

std::pair<double, double> both(double x, double z) { return {x, z}; }

} // namespace

TEST_CASE("ops of one number", "[gradients]") {
  // A number above 0 that depends on both.
  std::string positive = "%a = arith.mulf %s, %s : f32\n%c = arith.mulf %x, %x : f32\n%d = arith.addf %a, %c : f32\n"
                         "%p = arith.addf %d, %half : f32\n";
  for (const char *op : {"math.log", "math.log2", "math.sqrt", "math.rsqrt"})
    check(positive + "%y = " + op + " %p : f32");
  std::string sum = "%u = arith.addf %s, %x : f32\n%p = arith.mulf %u, %half : f32\n";
  for (const char *op : {"math.exp", "math.exp2", "math.tanh", "math.absf", "arith.negf"})
    check(sum + "%y = " + op + " %p : f32");
}

TEST_CASE("ops of two and three numbers", "[gradients]") {
  for (const char *op : {"arith.addf", "arith.subf", "arith.mulf", "arith.divf", "arith.maximumf", "arith.minimumf",
                         "arith.maxnumf", "arith.minnumf"}) {
    check(std::string("%y = ") + op + " %s, %x : f32");
    if (op != std::string("arith.divf")) // by a score, which may be near 0
      check(std::string("%y = ") + op + " %x, %s : f32");
  }
  check("%d = arith.mulf %s, %s : f32\n%e = arith.addf %d, %one : f32\n%y = arith.divf %x, %e : f32");
  check("%y = math.fma %s, %x, %half : f32");
  check("%y = math.fma %x, %half, %s : f32");
  check("%m = arith.mulf %s, %half : f32\n%y = math.fma %m, %m, %x : f32");
}

TEST_CASE("a value that is used several times gets the sum", "[gradients]") {
  check("%a = arith.mulf %s, %x : f32\n%c = math.tanh %a : f32\n%d = arith.addf %c, %a : f32\n"
        "%e = arith.mulf %d, %half : f32\n%y = arith.addf %e, %s : f32");
  check("%y = arith.addf %x, %s : f32");
}

TEST_CASE("comparisons choose, and the other side gets nothing", "[gradients]") {
  std::string sides = "%u = arith.mulf %s, %x : f32\n%w = arith.addf %s, %x : f32\n";
  for (const char *condition : {"arith.cmpf ogt, %s, %x : f32", "arith.cmpf ult, %s, %half : f32",
                                "arith.cmpf one, %x, %s : f32", "arith.cmpi slt, %i, %j : index"})
    check(sides + "%c = " + condition + "\n%y = arith.select %c, %u, %w : f32");
}

TEST_CASE("steps and integers are flat", "[gradients]") {
  for (const char *op : {"math.floor", "math.ceil"})
    check(std::string("%u = arith.mulf %s, %half : f32\n%f = ") + op +
          " %u : f32\n%g = arith.mulf %f, %half : f32\n%w = arith.addf %s, %x : f32\n%y = arith.addf %w, %g : f32");
  check("%u = arith.fptosi %s : f32 to i32\n%f = arith.sitofp %u : i32 to f32\n%g = arith.mulf %f, %half : f32\n"
        "%w = arith.addf %s, %x : f32\n%y = arith.addf %w, %g : f32");
  check("%w = arith.mulf %x, %number : f32\n%tenth = arith.mulf %w, %half : f32\n%y = arith.addf %s, %tenth : f32");
}

TEST_CASE("a region that yields its score, and one that yields none of it", "[gradients]") {
  GradientCall call = callWith("%y = arith.mulf %x, %half : f32");
  for (const Slope &slope : slopesOf(call, call.differentiate())) {
    INFO(slope.name);
    CHECK(slope.passed());
    CHECK((slope.norm == 0) == (slope.name == "dq" || slope.name == "dk"));
  }
}

TEST_CASE("where there is no derivative, one is chosen", "[gradients]") {
  // Equal operands share, or the first gets all.
  for (const char *op : {"arith.maximumf %x, %z", "arith.minimumf %x, %z"})
    CHECK(byOperands(op, 2, 2) == both(0.5, 0.5));
  for (const char *op : {"arith.maxnumf %x, %z", "arith.minnumf %x, %z"})
    CHECK(byOperands(op, 2, 2) == both(1, 0));
  for (float x : {0.0f, -0.0f})
    CHECK(byOperands("math.absf %x", x, 1) == both(0, 0));
  CHECK(byOperands("math.floor %x", 2, 1) == both(0, 0));
  CHECK(byOperands("math.ceil %x", 2, 1) == both(0, 0));
}

TEST_CASE("a number beside NaN is chosen, and gets all", "[gradients]") {
  float nan = std::numeric_limits<float>::quiet_NaN();
  for (const char *op : {"arith.maxnumf %x, %z", "arith.minnumf %x, %z"}) {
    CHECK(byOperands(op, nan, 2) == both(0, 1));
    CHECK(byOperands(op, 2, nan) == both(1, 0));
  }
}

TEST_CASE("a side that is not chosen may have an infinite derivative", "[gradients]") {
  for (const char *op : {"math.sqrt", "math.log", "math.rsqrt"}) {
    GradientCall call =
        callWith(std::string("%zero = arith.constant 0.0 : f32\n%none = arith.mulf %s, %zero : f32\n%u = ") + op +
                 " %none : f32\n%w = arith.addf %s, %x : f32\n%c = arith.cmpf one, %w, %w : f32\n"
                 "%y = arith.select %c, %u, %w : f32");
    INFO(op);
    checkGradients(call);
  }
}

TEST_CASE("a pair whose score is -inf gets nothing", "[gradients]") {
  // log of 0 for keys before the query, whose derivative is infinite; the last row has no pair left.
  checkGradients(callWith("%zero = arith.constant 0.0 : f32\n%c = arith.cmpi slt, %j, %i : index\n"
                          "%m = arith.mulf %x, %x : f32\n%u = arith.select %c, %zero, %m : f32\n"
                          "%l = math.log %u : f32\n%y = arith.addf %s, %l : f32"));
}
