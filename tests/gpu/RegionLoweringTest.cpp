// Regions over pairs on their way to CUDA: what is computed where (docs/spec.md#regions).
#include "gpu/DenseCase.h"

#include "mlir/Parser/Parser.h"

#include <catch2/catch.hpp>

using namespace tercet;
using Catch::Matchers::Contains;

namespace {

std::string specOf(const std::string &arguments, const std::string &body, const std::string &clauses) {
  return "tercet.spec @s(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens" + arguments + ") {\n" + body +
         "  %o = tercet.sparse %q, %k, %v " + clauses + "\n  tercet.return %o\n}\n";
}

const std::string softcap = specOf("", "  %cap = tercet.param cap = 30.0 : !tercet.runtime<f64>\n", R"(score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %c = tercet.value %cap : !tercet.runtime<f64>
    %x = arith.divf %s, %c : f32
    %t = math.tanh %x : f32
    %y = arith.mulf %t, %c : f32
    tercet.yield %y : f32
  })");

const std::string alibi = specOf(", %slopes: !tercet.table<[head], f32>", "", R"(score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %slope = tercet.read %slopes[%h] : !tercet.table<[head], f32>
    %back = arith.subi %j, %i : index
    %distance = arith.index_cast %back : index to i32
    %d = arith.sitofp %distance : i32 to f32
    %bias = arith.mulf %slope, %d : f32
    %sum = arith.addf %s, %bias : f32
    tercet.yield %sum : f32
  })");

const std::string documents = specOf(", %ids: !tercet.table<[batch, any], i32>", R"(
  %same = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %x = tercet.read %ids[%b, %i] : !tercet.table<[batch, any], i32>
    %y = tercet.read %ids[%b, %j] : !tercet.table<[batch, any], i32>
    %equal = arith.cmpi eq, %x, %y : index
    %past = arith.cmpi sle, %j, %i : index
    %allowed = arith.andi %equal, %past : i1
    tercet.yield %allowed : i1
  }
)",
                                     "mask(%same)");

/// Where `part` begins in the text; fails the test where it does not occur.
size_t at(const std::string &text, const std::string &part) {
  INFO(part);
  REQUIRE(text.find(part) != std::string::npos);
  return text.find(part);
}

} // namespace

TEST_CASE("what depends on neither query nor key is computed before the loop", "[cuda]") {
  std::string text = test::DenseCase(alibi).text("sm_80", 64, "cuda");
  size_t loop = at(text, "for (index j = ");
  CHECK(at(text, "= element(slopes, clamped(head_index, {slopes_size0, slopes_stride0}));") < loop);
  CHECK(at(text, "= map_pairs([&](float x, Int i, Int j_2) {") > loop);
  CHECK(test::countOf(text, "element(") == 1);
}

TEST_CASE("a divisor that is the same for all pairs is divided by once", "[cuda]") {
  std::string text = test::DenseCase(softcap).text("sm_80", 64, "cuda");
  size_t loop = at(text, "for (index j = ");
  CHECK(at(text, "= 1.0f / cap;") < loop);
  CHECK(at(text, "hyperbolic_tangent(") > loop);
  CHECK_THAT(text, !Contains("divide("));
}

TEST_CASE("a mask costs tiles that it cuts, and no tile that it leaves whole", "[cuda]") {
  std::string text = test::DenseCase(documents).text("sm_80", 64, "cuda");
  CHECK(at(text, "while (const index steps = window.next(rule)) {") < at(text, "for (index j = "));
  CHECK(at(text, "if (partial) {") < at(text, "= map_pairs("));
  CHECK_THAT(text, Contains("least_of(ids_ranges1, ") && Contains("largest_of(ids_ranges1, "));
}

TEST_CASE("tables that a mask reads along tokens have a kernel for their ranges", "[cuda]") {
  std::string text = test::DenseCase(documents).text("sm_80", 64, "cuda");
  CHECK_THAT(text, Contains("ids_ranges1(") && Contains("table_ranges<1024>(shared, window, row, ids, "));
  CHECK(test::countOf(text, "__global__") == 2);
  CHECK(test::countOf(test::DenseCase(alibi).text("sm_80", 64, "cuda"), "__global__") == 1);
}

TEST_CASE("programs with regions take warps on sm_90a, and say why", "[cuda]") {
  for (const std::string &spec : {softcap, documents}) {
    test::DenseCase entry(spec);
    auto result = entry.emit("sm_90a", 128, "cuda");
    REQUIRE(result.ok());
    REQUIRE(result->remarks.size() == 1);
    CHECK(result->remarks[0] == "masks and score regions are computed by warps: using warps");
    CHECK_THAT(result->bytes, !Contains("Pending<"));
  }
}

TEST_CASE("a parameter that several regions read is one argument", "[cuda]") {
  const std::string both = specOf("",
                                  "  %cap = tercet.param cap = 30 : !tercet.runtime<i64>\n"
                                  R"(
  %near = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %c = tercet.value %cap : !tercet.runtime<i64>
    %d = arith.subi %i, %j : index
    %seen = arith.cmpi sle, %d, %c : index
    tercet.yield %seen : i1
  }
)",
                                  R"(mask(%near) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %c = tercet.value %cap : !tercet.runtime<i64>
    %n = arith.index_cast %c : index to i32
    %f = arith.sitofp %n : i32 to f32
    %y = arith.addf %s, %f : f32
    tercet.yield %y : f32
  })");
  CHECK(test::countOf(test::DenseCase(both).text("sm_80", 64, "tkern"), "\"param.cap\"") == 1);
}

TEST_CASE("named text of kernels with regions parses and verifies again", "[cuda]") {
  for (const std::string &spec : {softcap, alibi, documents}) {
    test::DenseCase entry(spec);
    CHECK(mlir::parseSourceString<mlir::ModuleOp>(entry.text("sm_80", 64, "tkern"), &entry.context()));
  }
}
