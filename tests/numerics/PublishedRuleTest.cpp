// Specs of published rules against those rules, written from the papers (tests/support/Published*.cpp), on every backend.
#include "PublishedCheck.h"

#include <catch2/catch.hpp>

using namespace tercet;
using namespace tercet::test;

static void checkRules(const std::vector<PublishedRule> &rules) {
  for (const PublishedRule &rule : rules)
    checkRule(backends(), rule, "numerics/PublishedRuleTest");
}

TEST_CASE("masks, scores and patterns of language models are those of their papers", "[published]") {
  checkRules(languageRules());
}

TEST_CASE("neighbourhoods, axes and video patterns are those of their papers", "[published]") {
  checkRules(gridRules());
}

TEST_CASE("tables of segments and masks handed in say what their papers say", "[published]") {
  checkRules(segmentRules());
}

TEST_CASE("blocks are picked as published systems pick them", "[published]") {
  for (const PublishedSelection &selection : publishedSelections())
    checkSelection(backends(), selection, "numerics/PublishedRuleTest");
}
