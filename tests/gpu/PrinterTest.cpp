// The printed kernel: two lines that carry the meaning of each form, and what holds for all text.
#include "gpu/DenseCase.h"

#include "mlir/Parser/Parser.h"

#include <catch2/catch.hpp>

using namespace tercet;
using Catch::Matchers::Contains;

TEST_CASE("a step of the warp form", "[cuda]") {
  std::string text = test::DenseCase().text("sm_80", 128, "cuda");
  CHECK_THAT(text, Contains("const Tile<16, 64> scores = matmul_transposed<128>(q_operand, k_tile, none);"));
  CHECK_THAT(text, Contains("const Tile<16, 64> p = softmax_step(relative, row_max, row_sum, acc, 8.0f);"));
}

TEST_CASE("a step of the warpgroup form", "[cuda]") {
  std::string text = test::DenseCase().text("sm_90a", 128, "cuda");
  CHECK_THAT(text, Contains("Pending<64, 128> product(Depth<128>(), q_tile, k_tile);"));
  CHECK_THAT(text, Contains("accumulate_async(p, v_tile, acc);"));
}

TEST_CASE("a number that rounds hand on is a variable", "[cuda]") {
  test::DenseCase dense;
  auto module = mlir::parseSourceString<mlir::ModuleOp>(R"(
    tkern.kernel @k(%i: index, %g: index, %n: index, %p: !tkern.pointer<f32>)
        attributes {tkern.schedule = #tkern.gpu_schedule<4 x warp, keys 64, slots 1, queries register, registers 0 : 0>} {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %sum = scf.for %j = %c0 to %n step %c1 iter_args(%before = %i) -> index {
        %next = arith.addi %before, %j : index
        scf.yield %next : index
      }
      %twice = arith.addi %sum, %sum : index
      %v = tkern.view %p[%twice] : !tkern.pointer<f32> -> !tkern.view<?x64xf32, stride 64, global>
      tkern.end
    })",
                                                        &dense.context());
  REQUIRE(module);
  auto source = compiler::printCuda(*module->getOps<tkern::KernelOp>().begin(), "");
  INFO(source.status().message());
  REQUIRE(source.ok());
  CHECK_THAT(source->text, Contains("  index carried = item0;\n  for (index i = 0; i < item2; i += 1) {\n"
                                    "    const index value = carried + i;\n    carried = value;\n  }\n"
                                    "  const index value = carried + carried;\n"));
}

TEST_CASE("kernels are at most 200 lines, and end with a line end", "[cuda]") {
  test::DenseCase dense;
  for (const char *target : {"sm_80", "sm_90a"})
    for (int64_t headDim : {64, 128, 256}) {
      std::string text = dense.text(target, headDim, "cuda");
      CHECK(test::countOf(text, "\n") <= 200);
      CHECK(text.back() == '\n');
    }
}

TEST_CASE("equal problems print equal text", "[cuda]") {
  CHECK(test::DenseCase().text("sm_80", 96, "cuda") == test::DenseCase().text("sm_80", 96, "cuda"));
}

TEST_CASE("an op without a statement is a defect that is named", "[cuda]") {
  test::DenseCase dense;
  auto module = mlir::parseSourceString<mlir::ModuleOp>(R"(
    tkern.kernel @k(%i: index, %g: index, %u: index, %p: !tkern.pointer<f32>)
        attributes {tkern.schedule = #tkern.gpu_schedule<4 x warp, keys 64, slots 1, queries register, registers 0 : 0>} {
      %c = tkern.is_null %p : !tkern.pointer<f32>
      %v = tkern.view %p[%i] : !tkern.pointer<f32> -> !tkern.view<?x64xf32, stride 64, global>
      %w = tkern.select_view %c, %v, %v : !tkern.view<?x64xf32, stride 64, global>
      tkern.end
    })",
                                                        &dense.context());
  REQUIRE(module);
  auto source = compiler::printCuda(*module->getOps<tkern::KernelOp>().begin(), "");
  REQUIRE_FALSE(source.ok());
  CHECK(source.status().code() == Code::internal);
  CHECK_THAT(source.status().message(), Contains("'tkern.select_view'"));
}
