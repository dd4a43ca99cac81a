// The tile program of dense attention: what it says, and which specs it is made from.
#include "gpu/DenseCase.h"

#include "mlir/Parser/Parser.h"

#include <catch2/catch.hpp>

using namespace tercet;
using Catch::Matchers::Contains;

TEST_CASE("the warp form reads values that are rounded to 16 columns and stored as they are", "[cuda]") {
  test::DenseCase dense;
  std::string text = dense.text("sm_80", 72, "tkern");
  CHECK_THAT(text, Contains("tkern.matmul %q_operand, %k_tile, %none depth 80 transposed_b"));
  CHECK_THAT(text,
             Contains("!tkern.view<?x72xbf16, stride ?, global> to <1 x <64x80xbf16, stride 88, shared>, cp_async>"));
}

TEST_CASE("the warpgroup form has one producer, and awaits its products inside the step", "[cuda]") {
  test::DenseCase dense;
  std::string text = dense.text("sm_90a", 128, "tkern");
  CHECK_THAT(text, Contains("tkern.roles producer registers 24 {"));
  CHECK_THAT(text, Contains("%scores = tkern.await %product later 0 : !tkern.pending<64x128> -> !tkern.tile<64x128>"));
}

TEST_CASE("named text parses and verifies again", "[cuda]") {
  test::DenseCase dense;
  for (const char *target : {"sm_80", "sm_90a"}) {
    std::string text = dense.text(target, 64, "tkern", DType::f16);
    CHECK(mlir::parseSourceString<mlir::ModuleOp>(text, &dense.context()));
  }
}

TEST_CASE("a spec's own scale parameter is what the kernel is given", "[cuda]") {
  test::DenseCase named(R"(tercet.spec @s(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
    %t = tercet.param temperature = 0.5 : !tercet.runtime<f64>
    %o = tercet.sparse %q, %k, %v scale(%t)
    tercet.return %o
  })");
  CHECK_THAT(named.text("sm_80", 64, "tkern"), Contains("\"param.temperature\""));
  test::DenseCase plain(R"(tercet.spec @s(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
    %o = tercet.sparse %q, %k, %v
    tercet.return %o
  })");
  CHECK_THAT(plain.text("sm_80", 64, "tkern"), !Contains("param."));
}

TEST_CASE("specs, dtypes and dimensions without a kernel are refused with what is legal", "[cuda]") {
  test::DenseCase dense;
  auto message = [](Result<EmitResult> result) {
    REQUIRE_FALSE(result.ok());
    CHECK(result.status().code() == Code::unsupportedTarget);
    return result.status().message();
  };
  CHECK_THAT(message(dense.emit("sm_80", 68, "cuda")),
             Contains("in steps of 8") && Contains("not 68") && Contains("nearest is 72"));
  CHECK_THAT(message(dense.emit("sm_80", 512, "cuda")), Contains("not 512; the nearest is 256"));
  CHECK_THAT(message(dense.emit("sm_80", 64, "cuda", DType::i8)), Contains("bf16, f16 or f32, not i8"));
  CHECK_THAT(message(dense.emit("sm_75", 64, "cuda")), Contains("'sm_75'"));
}

TEST_CASE("a stage of another target is an invalid argument", "[cuda]") {
  test::DenseCase dense;
  Result<EmitResult> result = dense.emit("sm_80", 64, "obj");
  REQUIRE_FALSE(result.ok());
  CHECK(result.status().code() == Code::invalidArgument);
  CHECK_THAT(result.status().message(), Contains("tkern, cuda, ptx, cubin"));
}
