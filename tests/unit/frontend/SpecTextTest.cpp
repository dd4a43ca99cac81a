// What spec text may not be, whatever the parser would make of it: each is refused by the scan before it, in one
// sentence with a place.
#include "tercet/compiler/SpecInfo.h"

#include <catch2/catch.hpp>

using namespace tercet;
using namespace tercet::compiler;

namespace {

const std::string dense = R"(tercet.spec @dense(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}
)";

std::string repeated(std::string_view text, size_t count) {
  std::string all;
  for (size_t i = 0; i < count; ++i)
    all += text;
  return all;
}

std::string refusal(const std::string &text) {
  Result<SpecInfo> info = inspectSpec({text, "s.mlir", {}});
  INFO(text.substr(0, 200));
  REQUIRE_FALSE(info.ok());
  CHECK(info.status().code() == Code::invalidSpec);
  return info.status().message();
}

/// The dense spec with one more attribute.
std::string withAttribute(const std::string &value) {
  std::string text = dense;
  return text.insert(text.find(" {\n"), " attributes {x = " + value + "}");
}

} // namespace

TEST_CASE("text that is no text is refused", "[spec-text]") {
  CHECK(refusal(dense + '\0') == "s.mlir:5:1: error: the byte 0x00 is no text");
  CHECK(refusal("// \x1b[2J\n" + dense) == "s.mlir:1:4: error: the byte 0x1b is no text");
  CHECK(refusal("ML\xefR\x01") == "s.mlir: error: the spec is MLIR bytecode; only text is accepted");
  CHECK(refusal("//" + std::string(1 << 20, 'x')) == "s.mlir: error: the spec has 1048578 bytes; the limit is 1048576");
}

TEST_CASE("names stand behind their definitions, and regions keep theirs", "[spec-text]") {
  std::string early = R"(tercet.spec @early(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %o = tercet.sparse %q, %k, %v mask(%m)
  %m = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %allowed = arith.cmpi sle, %j, %i : index
    tercet.yield %allowed : i1
  }
  tercet.return %o
}
)";
  CHECK(refusal(early) == "s.mlir:2:38: error: %m is not defined before it is used\n"
                          "  %o = tercet.sparse %q, %k, %v mask(%m)\n"
                          "                                     ^");
  // The parser would free %x with the region that it fails to read, and keep it as an operand of the first op.
  std::string freed = early;
  freed.replace(freed.find("mask(%m)"), 8, "mask(%x)").replace(freed.find("%allowed ="), 10, "%x = %");
  CHECK_THAT(refusal(freed), Catch::StartsWith("s.mlir:2:38: error: %x is not defined before it is used\n"));
  std::string outside = early;
  outside.erase(outside.find(" mask(%m)"), 9).replace(outside.find("return %o"), 9, "return %i");
  CHECK_THAT(refusal(outside), Catch::StartsWith("s.mlir:8:17: error: %i is not defined before it is used\n"));
}

TEST_CASE("brackets nest at most 64 deep, however they are hidden", "[spec-text]") {
  CHECK(inspectSpec({withAttribute(repeated("[", 60) + repeated("]", 60)), "s.mlir", {}}).ok());
  for (std::string_view level :
       {"[", "(", "{", "<", "[\"]\", ", "[ // ]\n", "(d0 >= ", "(() -> ", "[\"\\\"]\", ", "[ > ) }"})
    CHECK_THAT(refusal(withAttribute(repeated(level, 100000))), Catch::EndsWith("error: brackets nest deeper than 64"));
  CHECK(refusal(repeated("[\n", 65)) == "s.mlir:65:1: error: brackets nest deeper than 64");
}

TEST_CASE("aliases are refused: they nest and double without brackets", "[spec-text]") {
  std::string chain = "#a0 = []\n";
  for (int level = 1; level < 50; ++level)
    chain += fmt::format("#a{} = [#a{}, #a{}]\n", level, level - 1, level - 1);
  CHECK(refusal(chain + withAttribute("#a49")) == "s.mlir:1:1: error: #a0 is an alias; write attributes and types out");
  CHECK(refusal("!t = !tercet.tokens\n") == "s.mlir:1:1: error: !t is an alias; write attributes and types out");
  CHECK(refusal("#-a = []\n") == "s.mlir:1:1: error: #-a is an alias; write attributes and types out");
}

TEST_CASE("syntax that costs more than its text is refused", "[spec-text]") {
  CHECK_THAT(refusal(withAttribute("affine_map<(d0) -> (" + repeated("-", 1000000) + " d0)>")),
             Catch::EndsWith("error: affine_map< is not part of a spec"));
  CHECK_THAT(refusal(withAttribute("affine_set<(d0) : (d0 == 0)>")),
             Catch::EndsWith("error: affine_set< is not part of a spec"));
  CHECK_THAT(refusal(withAttribute("dense<1> : tensor<1x1x99999999999xi64>")),
             Catch::EndsWith("error: dense< is not part of a spec"));
  CHECK_THAT(refusal(withAttribute("dense_resource<a> : tensor<4xi64>")),
             Catch::EndsWith("error: dense_resource< is not part of a spec"));
  CHECK_THAT(refusal(dense + "{-# external_resources: {} #-}"),
             Catch::EndsWith("s.mlir:5:1: error: {-# is not part of a spec"));
  CHECK_THAT(refusal(withAttribute("1 : i16777215")),
             Catch::EndsWith("error: the type i16777215 is wider than any integer of a spec"));
  CHECK_THAT(refusal(withAttribute(repeated("9", 1000000))),
             Catch::EndsWith("error: a word of 1000000 characters; the limit is 256"));
  CHECK_THAT(refusal(repeated("%", 1) + repeated("a", 300)),
             Catch::EndsWith("error: a word of 301 characters; the limit is 256"));
  std::string result = dense;
  result.replace(result.find("%v\n"), 2, "%v#4294967295");
  CHECK_THAT(refusal(result), Catch::EndsWith("error: the result number #4294967295 is out of range"));
}

TEST_CASE("a location is refused: a diagnostic there would read the file that it names", "[spec-text]") {
  std::string text = dense;
  text.replace(text.find("%v\n"), 3, "%v loc(\"/dev/zero\":1:1)\n");
  CHECK(refusal(text) == "s.mlir:2:36: error: loc( is not part of a spec");
  text.replace(text.find("loc("), 4, "loc // a comment\n (");
  CHECK(refusal(text) == "s.mlir:3:2: error: loc( is not part of a spec");
}

TEST_CASE("names that mean something elsewhere are names here", "[spec-text]") {
  for (const char *attribute : {"loc", "dense", "affine_map", "i128x", "sparse"}) {
    std::string text = dense;
    text.insert(text.find(" {\n"), fmt::format(" attributes {{{} = 1, y = \"loc(#a)\"}}", attribute));
    Result<SpecInfo> info = inspectSpec({text, "s.mlir", {}});
    INFO(info.status().message());
    CHECK(info.ok());
  }
}

TEST_CASE("ops of other dialects are refused wherever they stand", "[spec-text]") {
  std::string text = dense;
  CHECK_THAT(refusal("func.func @f() {\n}\n" + dense),
             Catch::StartsWith("s.mlir:1:1: error: Dialect `func' not found"));
  CHECK_THAT(refusal(dense + "module {\n}\n"),
             Catch::StartsWith("s.mlir:5:1: error: only tercet.spec may stand at the top of a spec file"));
  text.insert(text.find("  %o"), "  builtin.module {\n  }\n");
  CHECK_THAT(refusal(text), Catch::Contains("spec C5: is not an op of the tercet dialect"));
  const std::string mask = R"(tercet.spec @masked(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %near = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %x = builtin.unrealized_conversion_cast %j : index to i1
    tercet.yield %x : i1
  }
  %o = tercet.sparse %q, %k, %v mask(%near)
  tercet.return %o
}
)";
  CHECK_THAT(refusal(mask), Catch::StartsWith("s.mlir:4:10: error: 'builtin.unrealized_conversion_cast' op C2"));
}

TEST_CASE("a message stays short, however many lines are wrong and however long they are", "[spec-text]") {
  std::string undefined = dense;
  undefined.replace(undefined.find("%q, %k, %v\n"), 10, repeated("%q, ", 1000) + "%q");
  for (int name = 0; name < 2000; ++name)
    undefined.insert(undefined.find("  tercet.return"), "  tercet.skip %o[marginal]\n");
  std::string message = refusal(undefined);
  CHECK_THAT(message, Catch::StartsWith("s.mlir:2:"));
  CHECK(message.size() <= 8192);
}
