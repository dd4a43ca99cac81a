// Query blocks of 1 to 8 tokens meet tails, lengths, groups of heads, every rule and scope, masks and classes handed in.
#include "RoutingCases.h"
#include "RaggedCases.h"

namespace tercet::test {
namespace {

using reference::Shape;
using Cases = std::vector<Case>;

void addShapes(Cases &cases) {
  for (auto [n, m] :
       {std::pair{1, 1}, {1, 65}, {65, 1}, {3, 2}, {17, 63}, {64, 64}, {63, 129}, {130, 67}, {257, 300}, {300, 257}})
    cases.push_back({.name = "tail of routed tokens",
                     .spec = "token_ranked",
                     .parameters = {{"keep", 0.3}},
                     .shape = {.heads = 2, .tokensQ = n, .tokensK = m, .headDim = 32}});
  for (const char *rows : {"1", "2", "4", "8"})
    for (const char *keys : {"16", "48", "80", "256"})
      for (const char *spec : {"token_ranked", "moba"})
        cases.push_back({.name = "small query blocks",
                         .spec = spec,
                         .settings = {{"block_q", rows}, {"block_k", keys}},
                         .shape = {.heads = 2, .tokensQ = 150, .tokensK = 370, .headDim = 24}});
  for (auto [d, dv] : {std::pair{8, 8}, {17, 40}, {64, 128}, {128, 64}})
    cases.push_back({.name = "dims of routed tokens",
                     .spec = "token_ranked",
                     .shape = {.tokensQ = 70, .tokensK = 90, .headDim = d, .valueDim = dv}});
  for (DType dtype : {DType::f32, DType::bf16, DType::f16})
    for (double scale : {1.0, 4.0, 16.0})
      cases.push_back({.name = "dtype and scale of routed tokens",
                       .spec = "moba",
                       .settings = {{"block_k", "32"}},
                       .shape = {.heads = 2, .tokensQ = 170, .tokensK = 170, .headDim = 64},
                       .dtype = dtype,
                       .scale = scale,
                       .layout = scale == 4 ? Layout::padded : Layout::dense});
}

void addRulesOfRows(Cases &cases) {
  const Shape shape{.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 90, .tokensK = 170, .headDim = 24};
  const std::pair<const char *, double> rules[] = {{"top_fraction", 0.3}, {"top_count", 4},  {"top_mass", 0.45},
                                                   {"above", 0.12},       {"relative", 0.6}, {"percentile", 0.7}};
  for (auto [rule, keep] : rules)
    for (const char *scope : {"row", "head", "all_heads", "group"}) {
      Case base{.name = "rule and scope of routed tokens",
                .spec = std::string("token_ranked:") + rule,
                .settings = {{"scope", scope}},
                .parameters = {{"keep", keep}},
                .shape = shape};
      cases.push_back(base);
      base.parameters.insert(base.parameters.end(), {{"sink", 1}, {"max_keep", 5}, {"guard", 0.3}});
      base.settings["diagonal"] = "true";
      base.settings["forced_counts"] = "true";
      base.settings["center"] = "true";
      base.queryLengths = {90, 41};
      base.keyLengths = {33, 170};
      base.poison = true;
      cases.push_back(base);
    }
}

void addRegionsAndClasses(Cases &cases) {
  for (const char *spec : {"token_ranked", "token_routed", "moba", "nsa"}) {
    Case base{.name = "routed tokens", .spec = spec, .settings = {{"block_k", "16"}}, .shape = raggedShape};
    if (base.spec == "nsa")
      base.parameters = {{"blocks", 2}, {"window", 20}};
    cases.push_back(base);
    addRagged(cases, base, "routed tokens");
    for (Given given :
         {Given::random, Given::broadcast, Given::allCritical, Given::allMarginal, Given::allNegligible}) {
      base.name = "routed tokens and classes handed in";
      base.given = given;
      cases.push_back(base);
      if (given == Given::random)
        addRagged(cases, base, "routed tokens");
    }
  }
}

} // namespace

void addRoutingCases(Cases &cases) {
  addShapes(cases);
  addRulesOfRows(cases);
  addRegionsAndClasses(cases);
}

} // namespace tercet::test
