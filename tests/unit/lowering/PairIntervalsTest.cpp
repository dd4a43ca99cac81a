// Bounds of predicates against brute force: every rectangle of a small matrix of pairs, for rules of many kinds. Bounds
// must never claim what some pair refutes; where a rule is marked sharp, they must claim all that is so.
#include "Interpreter.h"

#include "PairIntervals.h"

#include "tercet/compiler/Frontend.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;
using namespace tercet::test;

namespace {

constexpr int64_t queries = 11, keys = 13, batch = 1, head = 2;

struct Rule {
  const char *body; ///< computes %y : i1
  bool sharp = false;
};

/// Values of tables by position; floats of %f are these numbers over 4, but for a NaN at 6.
constexpr int64_t segments[] = {0, 0, 0, 1, 1, 1, 1, 4, 4, 6, 6, 6, 9};

std::string specOf(const Rule &rule) {
  return std::string(R"(tercet.spec @rule(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens,
      %t: !tercet.table<[any], i32>, %f: !tercet.table<[any], f32>) {
    %mask = tercet.mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %n = tercet.extent query
      %m = tercet.extent key
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c3 = arith.constant 3 : index
      %c4 = arith.constant 4 : index
      %neg = arith.constant -3 : index
      %min = arith.constant -2147483648 : index
      %big = arith.constant 2147483640 : index
      %si = tercet.read %t[%i] : !tercet.table<[any], i32>
      %sj = tercet.read %t[%j] : !tercet.table<[any], i32>
      %fj = tercet.read %f[%j] : !tercet.table<[any], f32>
      %half = arith.constant 0.5 : f32
      %one = arith.constant 1.0 : f32
      %back = arith.subi %i, %j : index
)") + rule.body +
         R"(
      tercet.yield %y : i1
    }
    %o = tercet.sparse %q, %k, %v mask(%mask)
    tercet.return %o
  })";
}

Number elementOf(ir::ReadOp op, int64_t index) {
  int64_t at = std::clamp<int64_t>(index, 0, std::size(segments) - 1);
  if (!op.getType().isF32())
    return {segments[at], 0};
  return {0, at == 6 ? NAN : static_cast<float>(segments[at]) / 4};
}

/// What the region says of every pair.
std::vector<bool> bruteForce(Region &region) {
  std::vector<bool> allowed;
  for (int64_t i = 0; i < queries; ++i)
    for (int64_t j = 0; j < keys; ++j) {
      Interpreter interpreter(Interpreter::IndexWidth::region);
      interpreter.other = [](Operation &op, ArrayRef<Number> in) -> Number {
        if (auto extent = dyn_cast<ir::ExtentOp>(op))
          return {extent.getExtent() == ir::Extent::Query ? queries : keys, 0};
        return elementOf(cast<ir::ReadOp>(op), in.back().integer);
      };
      Block &block = region.front();
      for (auto [argument, value] : llvm::zip(block.getArguments(), std::array{batch, head, i, j}))
        interpreter.set(argument, {value, 0});
      interpreter.run(block);
      allowed.push_back(interpreter.get(block.getTerminator()->getOperand(0)).integer != 0);
    }
  return allowed;
}

/// Sizes are i32 arguments of the code; tables come as ranges alone.
class TestScope : public PairScope {
public:
  TestScope(Value queryCount, Value keyCount) : queryCount(queryCount), keyCount(keyCount) {}
  TableView table(StringRef, ir::TableType) override { return {}; }
  Value parameter(OpBuilder &, ir::ParamOp) override { return {}; }
  Value extent(OpBuilder &, ir::Extent extent) override { return extent == ir::Extent::Query ? queryCount : keyCount; }

private:
  Value queryCount, keyCount;
};

/// The bounds of a region as code, and what they are on a rectangle.
class Code {
public:
  explicit Code(Region &region) : builder(region.getContext()) {
    Location loc = builder.getUnknownLoc();
    Type i32 = builder.getI32Type(), index = builder.getIndexType();
    block.addArguments({i32, i32, i32, i32, index, index, index, index}, SmallVector<Location>(8, loc));
    builder.setInsertionPointToStart(&block);
    TestScope scope(block.getArgument(2), block.getArgument(3));
    PairRegion pairs(region, scope);
    pairs.bind(0, block.getArgument(0));
    pairs.bind(1, block.getArgument(1));
    pairs.clone(builder);
    PairIntervals intervals(builder, pairs, [&](ir::ReadOp op, ArrayRef<Bounds> indices) -> std::optional<Bounds> {
      auto end = [&](bool isHigh) {
        OperationState state(loc, "test.end");
        state.addOperands({indices[0].low, indices[0].high});
        state.addTypes(op.getType().isF32() ? op.getType() : index);
        Operation *made = builder.create(state);
        ends[made] = {op, isHigh};
        return made->getResult(0);
      };
      return Bounds{end(false), end(true)};
    });
    intervals.bind(2, block.getArgument(4), block.getArgument(5));
    intervals.bind(3, block.getArgument(6), block.getArgument(7));
    bounds = intervals.result();
  }

  /// Whether all pairs are allowed, and whether some may be.
  std::pair<bool, bool> claims(int64_t i0, int64_t i1, int64_t j0, int64_t j1) {
    Interpreter interpreter(Interpreter::IndexWidth::kernel);
    interpreter.other = [&](Operation &op, ArrayRef<Number> in) { return endOf(op, in); };
    for (auto [argument, value] :
         llvm::zip(block.getArguments(), std::array{batch, head, queries, keys, i0, i1, j0, j1}))
      interpreter.set(argument, {value, 0});
    interpreter.run(block);
    return {interpreter.get(bounds.low).integer != 0, interpreter.get(bounds.high).integer != 0};
  }

private:
  struct End {
    ir::ReadOp read;
    bool isHigh = false;
  };

  /// The least or largest element between two clamped indices; NaN if one is NaN.
  Number endOf(Operation &op, ArrayRef<Number> in) {
    End end = ends.lookup(&op);
    Number best = elementOf(end.read, in[0].integer);
    for (int64_t at = in[0].integer; at <= in[1].integer; ++at) {
      Number next = elementOf(end.read, at);
      best.integer = end.isHigh ? std::max(best.integer, next.integer) : std::min(best.integer, next.integer);
      bool isNaN = std::isnan(best.real) || std::isnan(next.real);
      best.real = isNaN ? NAN : end.isHigh ? std::max(best.real, next.real) : std::min(best.real, next.real);
    }
    return best;
  }

  Block block;
  OpBuilder builder;
  Bounds bounds;
  llvm::DenseMap<Operation *, End> ends;
};

void check(const Rule &rule) {
  INFO(rule.body);
  std::unique_ptr<MLIRContext> context = makeContext();
  context->allowUnregisteredDialects();
  Result<BoundSpec> bound = loadSpec(*context, {.text = specOf(rule), .origin = "rule"});
  INFO(bound.status().message());
  REQUIRE(bound.ok());
  Region &region = (*bound->spec.getBody().getOps<ir::MaskOp>().begin()).getBody();
  std::vector<bool> allowed = bruteForce(region);
  Code code(region);
  int64_t wrong = 0, blunt = 0;
  for (int64_t i0 = 0; i0 < queries; ++i0)
    for (int64_t i1 = i0; i1 < queries; ++i1)
      for (int64_t j0 = 0; j0 < keys; ++j0)
        for (int64_t j1 = j0; j1 < keys; ++j1) {
          bool some = false, all = true;
          for (int64_t i = i0; i <= i1; ++i)
            for (int64_t j = j0; j <= j1; ++j) {
              some = some || allowed[i * keys + j];
              all = all && allowed[i * keys + j];
            }
          auto [claimsAll, claimsSome] = code.claims(i0, i1, j0, j1);
          wrong += (claimsAll && !all) || (!claimsSome && some);
          blunt += claimsAll != all || claimsSome != some;
        }
  CHECK(wrong == 0);
  if (rule.sharp)
    CHECK(blunt == 0);
}

} // namespace

TEST_CASE("bounds of the usual masks decide every rectangle", "[lowering]") {
  const Rule rules[] = {
      {"%y = arith.cmpi sle, %j, %i : index", true},
      {"%y = arith.cmpi slt, %i, %j : index", true},
      {R"(%l = arith.addi %j, %n : index
          %r = arith.addi %i, %m : index
          %y = arith.cmpi sle, %l, %r : index)",
       true},
      {R"(%l = arith.subi %j, %m : index
          %r = arith.subi %i, %n : index
          %y = arith.cmpi sle, %l, %r : index)",
       true},
      {"%y = arith.cmpi slt, %j, %c3 : index", true},
      {R"(%past = arith.cmpi sle, %j, %i : index
          %prefix = arith.cmpi slt, %j, %c4 : index
          %y = arith.ori %past, %prefix : i1)",
       true},
      {R"(%past = arith.cmpi sle, %j, %i : index
          %in = arith.cmpi slt, %back, %c3 : index
          %y = arith.andi %past, %in : i1)",
       true},
      {"%y = arith.cmpi ult, %back, %c3 : index"},
      {"%y = arith.constant true", true},
      {"%y = arith.constant false", true},
      {"%y = arith.cmpi eq, %c1, %h : index", true},
      {R"(%t1 = arith.constant true
          %future = arith.cmpi sgt, %j, %i : index
          %y = arith.xori %future, %t1 : i1)",
       true},
  };
  for (const Rule &rule : rules)
    check(rule);
}

TEST_CASE("bounds of windows, segments and other rules never claim what is not so", "[lowering]") {
  const Rule rules[] = {
      {"%y = arith.cmpi eq, %si, %sj : index"},
      {R"(%same = arith.cmpi eq, %si, %sj : index
          %past = arith.cmpi sle, %j, %i : index
          %y = arith.andi %same, %past : i1)"},
      {"%y = arith.cmpi ne, %si, %sj : index"},
      {R"(%d = math.absi %back : index
          %y = arith.cmpi sle, %d, %c2 : index)"},
      {R"(%x = arith.remsi %i, %c3 : index
          %z = arith.remsi %j, %c3 : index
          %y = arith.cmpi eq, %x, %z : index)"},
      {R"(%x = arith.divsi %i, %c4 : index
          %z = arith.divsi %j, %c4 : index
          %y = arith.cmpi eq, %x, %z : index)"},
      {R"(%x = arith.floordivsi %back, %c3 : index
          %y = arith.cmpi sge, %x, %c0 : index)"},
      {R"(%x = arith.ceildivsi %back, %c3 : index
          %y = arith.cmpi sle, %x, %c1 : index)"},
      {R"(%x = arith.divsi %back, %neg : index
          %y = arith.cmpi sle, %x, %c1 : index)"},
      {R"(%x = arith.floordivsi %back, %si : index
          %y = arith.cmpi sle, %x, %c1 : index)"},
      {R"(%x = arith.remsi %back, %neg : index
          %y = arith.cmpi sle, %x, %c0 : index)"},
      {R"(%x = arith.remsi %back, %sj : index
          %y = arith.cmpi eq, %x, %c0 : index)"},
      {R"(%x = arith.muli %back, %back : index
          %y = arith.cmpi sle, %x, %c4 : index)"},
      {R"(%x = arith.muli %back, %neg : index
          %y = arith.cmpi sle, %x, %c4 : index)"},
      {R"(%x = arith.addi %i, %big : index
          %z = arith.addi %j, %big : index
          %y = arith.cmpi slt, %x, %z : index)"},
      {R"(%x = arith.muli %i, %big : index
          %y = arith.cmpi slt, %x, %j : index)"},
      {R"(%x = arith.subi %min, %i : index
          %y = arith.cmpi slt, %x, %j : index)"},
      {R"(%x = arith.divsi %min, %back : index
          %y = arith.cmpi slt, %x, %c0 : index)"},
      {R"(%x = arith.maxsi %i, %c4 : index
          %z = arith.minsi %j, %sj : index
          %y = arith.cmpi sle, %z, %x : index)"},
      {R"(%x = arith.andi %i, %c3 : index
          %z = arith.andi %j, %c2 : index
          %y = arith.cmpi sle, %z, %x : index)"},
      {R"(%x = arith.andi %back, %c3 : index
          %y = arith.cmpi eq, %x, %c0 : index)"},
      {R"(%x = arith.ori %i, %j : index
          %z = arith.xori %i, %j : index
          %y = arith.cmpi eq, %z, %x : index)"},
      {R"(%x = arith.xori %back, %j : index
          %y = arith.cmpi slt, %x, %c0 : index)"},
      {R"(%x = arith.shli %i, %c2 : index
          %z = arith.shrsi %j, %c1 : index
          %w = arith.shrsi %back, %c1 : index
          %u = arith.addi %z, %w : index
          %y = arith.cmpi slt, %u, %x : index)"},
      {R"(%x = arith.shli %c3, %back : index
          %z = arith.shrsi %back, %si : index
          %y = arith.cmpi slt, %z, %x : index)"},
      {R"(%past = arith.cmpi sle, %j, %i : index
          %x = arith.select %past, %si, %sj : index
          %y = arith.cmpi eq, %x, %c1 : index)"},
      {R"(%past = arith.cmpi sle, %j, %i : index
          %even = arith.cmpi eq, %si, %c4 : index
          %y = arith.select %past, %even, %past : i1)"},
      {R"(%p = arith.cmpi sle, %j, %i : index
          %r = arith.cmpi slt, %j, %c4 : index
          %y = arith.xori %p, %r : i1)"},
      {R"(%p = arith.cmpi sle, %j, %i : index
          %r = arith.cmpi slt, %j, %c4 : index
          %y = arith.cmpi eq, %p, %r : i1)"},
      {"%y = arith.cmpi uge, %back, %sj : index"},
      {"%y = arith.cmpi ule, %back, %neg : index"},
  };
  for (const Rule &rule : rules)
    check(rule);
}

TEST_CASE("bounds of floats never claim what is not so, NaN and all", "[lowering]") {
  std::vector<std::string> bodies;
  for (const char *predicate : {"oeq", "one", "olt", "ole", "ogt", "oge", "ueq", "une", "ult", "ule", "ugt", "uge",
                                "ord", "uno", "true", "false"})
    bodies.push_back(std::string("%y = arith.cmpf ") + predicate + ", %fj, %half : f32");
  const char *distance = R"(%narrow = arith.index_cast %back : index to i32
          %d = arith.sitofp %narrow : i32 to f32
)";
  for (const char *rest : {R"(%x = arith.mulf %d, %fj : f32
          %y = arith.cmpf olt, %x, %one : f32)",
                           R"(%x = arith.subf %d, %fj : f32
          %z = math.absf %x : f32
          %y = arith.cmpf ole, %z, %one : f32)",
                           R"(%x = arith.maximumf %d, %fj : f32
          %z = arith.minnumf %x, %one : f32
          %w = arith.negf %z : f32
          %y = arith.cmpf ogt, %w, %half : f32)",
                           R"(%x = arith.addf %d, %half : f32
          %z = math.floor %x : f32
          %u = math.ceil %fj : f32
          %w = arith.addf %z, %u : f32
          %y = arith.cmpf uge, %w, %half : f32)",
                           R"(%x = math.exp %d : f32
          %y = arith.cmpf olt, %x, %one : f32)"})
    bodies.push_back(std::string(distance) + rest);
  for (const std::string &body : bodies)
    check({body.c_str()});
}
