// Option values written by anything but a careful person: they parse, or are refused with a sentence.
#include "ShapeText.h"
#include "TargetName.h"

#include <catch2/catch.hpp>

#include <random>

using namespace tercet;
using namespace tercet::cli;

static std::string damaged(const std::string &text, std::mt19937 &random) {
  static const char *const pieces[] = {",",
                                       "=",
                                       "n",
                                       "d=",
                                       "hkv=3",
                                       "-",
                                       "0",
                                       "9",
                                       "4294967297",
                                       "2147483647",
                                       ":",
                                       "v4",
                                       "cpu",
                                       " ",
                                       "\xff",
                                       "dv",
                                       "99999999999999999999",
                                       "cuda",
                                       "_90a"};
  std::string result = text;
  for (unsigned edits = 1 + random() % 3; edits > 0; --edits) {
    size_t at = random() % (result.size() + 1);
    if (random() % 3 == 0)
      result.erase(at, random() % 4);
    else
      result.insert(at, pieces[random() % std::size(pieces)]);
  }
  return result;
}

TEST_CASE("20,000 damaged shapes are shapes or are refused", "[shape]") {
  std::mt19937 random(5);
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = damaged(round % 2 ? "b=1,h=12,n=3276,d=128" : "n=8,m=70,d=16,dv=8,h=4,hkv=2", random);
    INFO(text);
    Result<reference::Shape> shape = parseShape(text);
    if (!shape.ok()) {
      REQUIRE(shape.status().code() == Code::invalidArgument);
      REQUIRE(shape.status().message().starts_with("--shape"));
      continue;
    }
    ++accepted;
    for (int64_t size :
         {shape->batch, shape->heads, shape->headsKV, shape->tokensQ, shape->tokensK, shape->headDim, shape->valueDim})
      REQUIRE(size >= 1);
    REQUIRE(shape->heads % shape->headsKV == 0);
    REQUIRE(shapeText(*parseShape(shapeText(*shape))) == shapeText(*shape));
  }
  CHECK(accepted > 100);
}

TEST_CASE("20,000 damaged targets are targets or are refused", "[target]") {
  std::mt19937 random(6);
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = damaged(round % 2 ? "cpu:v3,sm_90a" : "reference,cuda:0", random);
    INFO(text);
    Result<std::vector<TargetName>> targets = parseTargets(text);
    if (targets.ok()) {
      ++accepted;
      REQUIRE_FALSE(targets->empty());
      continue;
    }
    REQUIRE_FALSE(targets.status().message().empty());
    REQUIRE((targets.status().code() == Code::unsupportedTarget || targets.status().code() == Code::invalidArgument));
  }
  CHECK(accepted > 100);
}
