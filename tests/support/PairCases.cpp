// Regions over pairs meet tails, lengths, groups of heads, every dtype and every way to classify.
#include "PairCases.h"
#include "RaggedCases.h"

namespace tercet::test {
namespace {

using reference::Shape;
using Cases = std::vector<Case>;
using Parameters = std::vector<std::pair<std::string, double>>;

// Masks and score regions without classification: tiles are decided on the fly.
void addDense(Cases &cases) {
  const std::pair<const char *, Parameters> specs[] = {{"causal", {}},
                                                       {"window", {{"left", 9}, {"right", 0}}},
                                                       {"window", {{"left", 40}, {"right", 70}}},
                                                       {"document", {}},
                                                       {"prefix_lm", {}},
                                                       {"alibi", {}},
                                                       {"softcap", {{"cap", 2}}},
                                                       {"relative_bias", {{"reach", 7}, {"scale", 0.3}}}};
  for (const auto &[spec, parameters] : specs) {
    Case base{.name = "pairs", .spec = spec, .parameters = parameters};
    for (auto [n, m] : {std::pair{1, 1}, {1, 65}, {65, 1}, {63, 129}, {130, 67}, {257, 300}}) {
      base.shape = {.heads = 2, .tokensQ = n, .tokensK = m, .headDim = 32};
      cases.push_back(base);
    }
    addRagged(cases, base, "regions");
    for (DType dtype : {DType::f32, DType::bf16, DType::f16}) {
      Case scaled = base;
      scaled.name = "pairs of large scores";
      scaled.shape = {.heads = 2, .tokensQ = 150, .tokensK = 170, .headDim = 64};
      scaled.dtype = dtype;
      scaled.scale = 4;
      cases.push_back(scaled);
    }
  }
  for (const char *flag : {"false", "true"})
    cases.push_back({.name = "causal alignment",
                     .spec = "causal",
                     .settings = {{"align_ends", flag}},
                     .shape = {.heads = 2, .tokensQ = 90, .tokensK = 170, .headDim = 16}});
  cases.push_back({.name = "documents in any order",
                   .spec = "document",
                   .settings = {{"causal", "false"}},
                   .shape = {.batch = 2, .heads = 2, .tokensQ = 90, .tokensK = 170, .headDim = 16}});
  // Far more tiles than one look at the intervals covers.
  cases.push_back({.name = "a window in many tokens",
                   .spec = "window",
                   .parameters = {{"left", 100}, {"right", 3}},
                   .shape = {.tokensQ = 130, .tokensK = 9000, .headDim = 16}});
}

// The same beside selection, patterns and classes from outside.
void addClassified(Cases &cases) {
  for (const char *spec : {"causal_sla", "document_bands", "gated", "guarded", "sampled"}) {
    Case base{.name = "pairs and classes", .spec = spec, .shape = raggedShape};
    cases.push_back(base);
    for (const char *block : {"32", "64"}) {
      base.settings = {{"block", block}};
      cases.push_back(base);
    }
    base.settings = {};
    base.shape.tokensQ = base.shape.tokensK = 64;
    cases.push_back(base);
    addRagged(cases, base, "regions");
    for (Given given : {Given::random, Given::allCritical, Given::allMarginal}) {
      base.name = "regions and classes handed in";
      base.given = given;
      cases.push_back(base);
      addRagged(cases, base, "regions");
    }
  }
  for (const char *over : {"marginal", "non_critical", "all"})
    for (const char *counts : {"false", "true"})
      cases.push_back({.name = "a mask and linear sets",
                       .spec = "causal_sla",
                       .settings = {{"linear_over", over}, {"forced_counts", counts}},
                       .shape = {.batch = 2, .heads = 2, .tokensQ = 170, .tokensK = 150, .headDim = 32}});
  for (const char *scope : {"row", "head", "all_heads", "group"})
    cases.push_back({.name = "budgets of a scope",
                     .spec = "gated",
                     .settings = {{"scope", scope}},
                     .parameters = {{"most", 4}},
                     .shape = raggedShape});
  for (const char *stride : {"2", "4", "8", "16"})
    cases.push_back({.name = "samples", .spec = "sampled", .settings = {{"stride", stride}}, .shape = raggedShape});
  cases.push_back(
      {.name = "means as they are", .spec = "guarded", .settings = {{"center", "false"}}, .shape = raggedShape});
  Case guarded{.name = "a guard that forces some blocks",
               .spec = "guarded",
               .parameters = {{"guard", 0.05}},
               .shape = raggedShape};
  cases.push_back(guarded);
  addRagged(cases, guarded, "regions");
  cases.push_back(
      {.name = "a wide band", .spec = "document_bands", .parameters = {{"reach", 4}}, .shape = raggedShape});
}

} // namespace

void addPairCases(std::vector<Case> &cases) {
  addDense(cases);
  addClassified(cases);
}

} // namespace tercet::test
