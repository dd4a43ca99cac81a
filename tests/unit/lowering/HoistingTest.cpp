// Where the attend kernel of a CPU computes what regions over pairs ask for.
#include "CpuKernels.h"

#include "tercet/compiler/Frontend.h"
#include "tercet/dialect/TkernDialect.h"

#include "mlir/IR/Verifier.h"

#include <catch2/catch.hpp>

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

namespace {

/// The attend kernel of a dense spec with a region.
class AttendKernel {
public:
  AttendKernel(const std::string &arguments, const std::string &regions) : context(makeContext()) {
    std::string text = "tercet.spec @s(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens" + arguments +
                       ") {\n" + regions + "\ntercet.return %o\n}";
    Result<BoundSpec> bound = loadSpec(*context, {.text = text, .origin = "s"});
    INFO(bound.status().message());
    REQUIRE(bound.ok());
    spec = *std::move(bound);
    Result<Program> program = readProgram(spec.spec, {.headDim = 64, .valueDim = 64});
    INFO(program.status().message());
    REQUIRE(program.ok());
    context->loadDialect<tkern::TkernDialect, scf::SCFDialect, arith::ArithDialect, math::MathDialect>();
    module = ModuleOp::create(UnknownLoc::get(context.get()));
    buildAttend(*module, *program, program->attends.front(), chooseCpuSchedule(*program, CpuLevel::v4));
    REQUIRE(succeeded(verify(*module)));
  }

  /// Bodies on tiles of this shape, and how many ops of a kind they hold.
  template <typename Op> std::vector<int> countIn(int64_t rows, int64_t cols) {
    std::vector<int> counts;
    module->walk([&](tkern::MapPairsOp map) {
      auto tile = cast<tkern::TileType>(map.getResult().getType());
      if (tile.getRows() == rows && tile.getCols() == cols)
        counts.push_back(static_cast<int>(llvm::count_if(map.getBody().getOps(), llvm::IsaPred<Op>)));
    });
    return counts;
  }
  template <typename Op> int count() {
    int found = 0;
    module->walk([&](Op) { ++found; });
    return found;
  }

private:
  std::unique_ptr<MLIRContext> context;
  BoundSpec spec;
  OwningOpRef<ModuleOp> module;
};

std::string scored(const std::string &body) {
  return "%o = tercet.sparse %q, %k, %v score {\n^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):\n" + body +
         "\ntercet.yield %y : f32\n}";
}

using Counts = std::vector<int>;

} // namespace

TEST_CASE("what depends on the head alone is computed once per item", "[lowering]") {
  AttendKernel kernel(", %slopes: !tercet.table<[head], f32>", scored(R"(
    %slope = tercet.read %slopes[%h] : !tercet.table<[head], f32>
    %back = arith.subi %j, %i : index
    %narrow = arith.index_cast %back : index to i32
    %d = arith.sitofp %narrow : i32 to f32
    %bias = arith.mulf %slope, %d : f32
    %y = arith.addf %s, %bias : f32)"));
  CHECK(kernel.count<tkern::ElementOp>() == 1);
  CHECK(kernel.countIn<tkern::ElementOp>(4, 64) == Counts{0, 0}); // with and without pairs that are out
  CHECK(kernel.countIn<arith::MulFOp>(4, 64) == Counts{2, 2});    // the scale, and the slope
}

TEST_CASE("what depends on a query is computed once per row, on a key once per tile", "[lowering]") {
  AttendKernel kernel(", %rows: !tercet.table<[batch, query], f32>, %cols: !tercet.table<[batch, key], f32>", scored(R"(
    %r = tercet.read %rows[%b, %i] : !tercet.table<[batch, query], f32>
    %c = tercet.read %cols[%b, %j] : !tercet.table<[batch, key], f32>
    %e = math.exp %c : f32
    %x = arith.mulf %s, %r : f32
    %y = arith.addf %x, %e : f32)"));
  CHECK(kernel.countIn<tkern::ElementOp>(4, 64) == Counts{0, 0});
  CHECK(kernel.countIn<math::ExpOp>(4, 64) == Counts{0, 0});
  CHECK(kernel.countIn<tkern::ElementOp>(1, 1) == Counts{1});
  CHECK(kernel.countIn<tkern::ElementOp>(1, 64) == Counts{1});
  CHECK(kernel.countIn<math::ExpOp>(1, 64) == Counts{1});
}

TEST_CASE("a table of pairs is read in the loop, by what was read before it", "[lowering]") {
  AttendKernel kernel(", %group: !tercet.table<[batch, any], i32>, %bias: !tercet.table<[any, any], f32>", scored(R"(
    %g = tercet.read %group[%b, %i] : !tercet.table<[batch, any], i32>
    %k_ = tercet.read %group[%b, %j] : !tercet.table<[batch, any], i32>
    %p = tercet.read %bias[%g, %k_] : !tercet.table<[any, any], f32>
    %y = arith.addf %s, %p : f32)"));
  CHECK(kernel.countIn<tkern::ElementOp>(4, 64) == Counts{1, 1});
  CHECK(kernel.countIn<tkern::ElementOp>(1, 1) == Counts{1});
  CHECK(kernel.countIn<tkern::ElementOp>(1, 64) == Counts{1});
}

TEST_CASE("a divisor that is the same for a row becomes a factor", "[lowering]") {
  AttendKernel kernel("", "%cap = tercet.param cap = 30.0 : !tercet.runtime<f64>\n" + scored(R"(
    %c = tercet.value %cap : !tercet.runtime<f64>
    %x = arith.divf %s, %c : f32
    %t = math.tanh %x : f32
    %y = arith.mulf %t, %c : f32)"));
  CHECK(kernel.countIn<arith::DivFOp>(4, 64) == Counts{0, 0});
}

TEST_CASE("a mask is evaluated in tiles that have forbidden pairs alone", "[lowering]") {
  AttendKernel kernel("", R"(%m = tercet.mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %y = arith.cmpi sle, %j, %i : index
      tercet.yield %y : i1
    }
    %o = tercet.sparse %q, %k, %v mask(%m))");
  // The comparison with the last key stands beside that of the mask.
  CHECK(kernel.countIn<arith::CmpIOp>(4, 64) == Counts{2, 0});
}

TEST_CASE("programs without regions have no bodies over pairs", "[lowering]") {
  AttendKernel kernel("", "%o = tercet.sparse %q, %k, %v");
  CHECK(kernel.count<tkern::MapPairsOp>() == 0);
}
