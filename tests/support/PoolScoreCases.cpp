// Scores by pools meet blocks and pools of many sizes, tails, lengths, every rule and scope, dtypes and large scores.
#include "PoolScoreCases.h"
#include "RaggedCases.h"

namespace tercet::test {
namespace {

using reference::Shape;
using Cases = std::vector<Case>;

void addSizes(Cases &cases) {
  const Shape shape{.heads = 2, .headsKV = 1, .tokensQ = 90, .tokensK = 230, .headDim = 24};
  const std::pair<const char *, const char *> pools[] = {{"1", "1"},  {"16", "16"}, {"32", "16"}, {"7", "3"},
                                                         {"40", "8"}, {"100", "7"}, {"64", "64"}, {"400", "16"}};
  for (auto [length, stride] : pools)
    for (const char *keys : {"16", "48"})
      cases.push_back({.name = "pools and blocks of keys",
                       .spec = "pool_ranked",
                       .settings = {{"length", length}, {"stride", stride}, {"block_k", keys}},
                       .shape = shape});
  for (const char *rows : {"1", "2", "8", "16", "48", "80", "256"})
    cases.push_back({.name = "blocks of queries and pools",
                     .spec = "pool_ranked",
                     .settings = {{"block_q", rows}},
                     .shape = {.heads = 2, .tokensQ = 300, .tokensK = 130, .headDim = 16}});
  for (auto [n, m] : {std::pair{1, 1}, {1, 65}, {65, 1}, {3, 2}, {63, 129}, {130, 67}})
    for (const char *spec : {"pool_ranked", "pool_shares"})
      cases.push_back(
          {.name = "tail of pools", .spec = spec, .shape = {.heads = 2, .tokensQ = n, .tokensK = m, .headDim = 32}});
  for (const char *spec : {"pool_ranked", "pool_shares"}) // several tiles of pools
    cases.push_back({.name = "many pools",
                     .spec = spec,
                     .settings = {{"stride", "4"}, {"length", "8"}, {"block_k", "64"}},
                     .shape = {.tokensQ = 40, .tokensK = 1500, .headDim = 16}});
}

void addRules(Cases &cases) {
  const std::pair<const char *, double> rules[] = {{"top_fraction", 0.3}, {"top_count", 4}, {"top_mass", 0.45},
                                                   {"within_mass", 0.5},  {"above", 0.12},  {"relative", 0.6},
                                                   {"percentile", 0.7}};
  for (auto [rule, keep] : rules)
    for (const char *scope : {"row", "head", "all_heads", "group"}) {
      Case base{.name = "rule and scope of pools",
                .spec = std::string("pool_ranked:") + rule,
                .settings = {{"scope", scope}},
                .parameters = {{"keep", keep}},
                .shape = {.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 70, .tokensK = 150, .headDim = 24}};
      cases.push_back(base);
      base.parameters.insert(base.parameters.end(), {{"sink", 1}, {"max_keep", 5}});
      base.settings["diagonal"] = base.settings["forced_counts"] = base.settings["by_share"] = "true";
      base.queryLengths = {70, 41};
      base.keyLengths = {33, 150};
      base.poison = true;
      cases.push_back(base);
    }
}

} // namespace

void addPoolScoreCases(Cases &cases) {
  addSizes(cases);
  addRules(cases);
  for (const char *spec : {"pool_ranked", "pool_shares"}) {
    Case base{.name = "pools that score", .spec = spec, .shape = raggedShape};
    addRagged(cases, base, "pools");
    base.name = "pools and classes handed in";
    base.given = Given::random;
    cases.push_back(base);
    for (DType dtype : {DType::f32, DType::bf16, DType::f16})
      for (double scale : {1.0, 4.0, 16.0})
        cases.push_back({.name = "dtype and scale of pools",
                         .spec = spec,
                         .shape = {.heads = 2, .tokensQ = 100, .tokensK = 170, .headDim = 64},
                         .dtype = dtype,
                         .scale = scale,
                         .layout = scale == 4 ? Layout::padded : Layout::dense});
  }
}

} // namespace tercet::test
