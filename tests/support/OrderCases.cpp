// Token orders meet clipped tiles, text, every way to classify and every branch. Specs NAME@TEXT: SpecSource.h.
#include "OrderCases.h"

namespace tercet::test {
namespace {

using Axes = std::array<int64_t, 3>;

/// A case of a spec whose blocks are tiles of a grid, with text of these lengths among queries and keys.
Case onGrid(std::string spec, Axes size, Axes tile, int64_t textQ, int64_t textK) {
  Case entry{.name = "tiles of a grid", .spec = std::move(spec)};
  int64_t tokens = size[0] * size[1] * size[2], block = tile[0] * tile[1] * tile[2];
  entry.settings = {{"block_q", std::to_string(block)}, {"block_k", std::to_string(block)}};
  for (auto [axis, name] : {std::pair{0, "t"}, {1, "y"}, {2, "x"}}) {
    entry.settings[std::string("tile_") + name] = std::to_string(tile[axis]);
    entry.parameters.emplace_back(std::string("grid_") + name, double(size[axis]));
  }
  entry.shape = {.batch = 2,
                 .heads = 4,
                 .headsKV = 2,
                 .tokensQ = tokens + textQ,
                 .tokensK = tokens + textK,
                 .headDim = 32,
                 .valueDim = 24};
  return entry;
}

const Axes small = {4, 2, 2}; // 16 tokens

void addBranches(std::vector<Case> &cases) {
  for (const char *spec : {"sparse_topk", "sla", "sla_non_critical", "sla_all", "block_mean"})
    for (auto [text, textQ, textK] : {std::tuple{"@none", 0, 0},
                                      {"@prefix", 21, 21},
                                      {"@suffix", 21, 21},
                                      {"@suffix", 0, 37},
                                      {"@suffix", 40, 3}}) {
      Case entry = onGrid(std::string(spec) + text, {6, 3, 5}, small, textQ, textK);
      entry.parameters.emplace_back("keep", 0.25);
      cases.push_back(entry);
      if (std::string(text) != "@suffix")
        continue;
      entry.dtype = textQ > textK ? DType::f16 : DType::bf16;
      if (entry.spec.starts_with("block_mean"))
        entry.settings["pooled_queries"] = "true";
      entry.layout = textQ > textK ? Layout::tokensFirst : Layout::padded;
      cases.push_back(entry);
      entry.dtype = DType::f32;
      entry.given = textQ == textK ? Given::random : Given::broadcast;
      cases.push_back(entry);
    }
}

// Whole grids, grids below a tile, and blocks of several tiles of keys of which a clipped one leaves some without a key.
void addSizes(std::vector<Case> &cases) {
  const std::pair<Axes, Axes> sizes[] = {{{8, 4, 4}, small},      {{1, 1, 1}, small},      {{4, 4, 5}, {4, 4, 4}},
                                         {{5, 6, 7}, {8, 4, 4}},  {{3, 5, 9}, {3, 4, 4}},  {{2, 9, 17}, {1, 16, 16}},
                                         {{5, 9, 10}, {4, 4, 4}}, {{1, 1, 70}, {1, 1, 16}}};
  for (const auto &[size, tile] : sizes)
    for (const char *spec : {"sla@suffix", "block_mean@suffix"}) {
      Case entry = onGrid(spec, size, tile, 5, 5);
      entry.parameters.emplace_back("keep", 0.3);
      entry.parameters.emplace_back("drop", 0.2);
      cases.push_back(entry);
    }
}

void addSelections(std::vector<Case> &cases) {
  for (const char *rule : {"top_count", "top_mass", "within_mass", "above", "relative", "percentile"})
    cases.push_back(onGrid(std::string("ranked:") + rule + "@prefix", {6, 3, 5}, small, 21, 21));
  for (const char *scope : {"head", "all_heads", "group"})
    for (const char *text : {"@none", "@suffix"}) {
      int64_t length = std::string(text) == "@none" ? 0 : 21;
      Case entry = onGrid(std::string("ranked") + text, {6, 3, 5}, small, length, length);
      entry.settings["scope"] = scope;
      entry.settings["center"] = entry.settings["diagonal"] = "true";
      entry.parameters.emplace_back("guard", 0.1);
      entry.parameters.emplace_back("sink", 2);
      cases.push_back(entry);
    }
  for (const char *spec : {"guarded@suffix", "gated@suffix", "routed@suffix"}) {
    Case entry = onGrid(spec, {6, 3, 5}, small, 21, 37);
    if (std::string(spec) != "routed@suffix") // one parameter for both sides of a block, as large by default
      for (const char *name : {"block_q", "block_k"})
        entry.settings.erase(name);
    cases.push_back(entry);
  }
}

// Groups of places, of which clipped tiles have fewer.
void addSamples(std::vector<Case> &cases) {
  for (const char *stride : {"2", "4", "16"})
    for (auto [text, textQ, textK] : {std::tuple{"@none", 0, 0}, {"@prefix", 21, 21}, {"@suffix", 21, 37}}) {
      Case entry = onGrid(std::string("sampled") + text, {6, 3, 5}, small, textQ, textK);
      for (const char *name : {"block_q", "block_k"})
        entry.settings.erase(name);
      entry.settings["block"] = "16";
      entry.settings["stride"] = stride;
      cases.push_back(entry);
      entry = onGrid(std::string("sampled") + text, {5, 9, 10}, {4, 4, 5}, textQ, textK);
      for (const char *name : {"block_q", "block_k"})
        entry.settings.erase(name);
      entry.settings["block"] = "80";
      entry.settings["stride"] = stride;
      entry.dtype = DType::bf16;
      cases.push_back(entry);
    }
}

// Regions over pairs see tokens at their places in the tensors.
void addRegions(std::vector<Case> &cases) {
  for (const char *spec : {"head_patterns@prefix", "causal_sla@prefix", "document_bands@prefix", "causal_sla@suffix",
                           "document_bands@suffix"})
    for (DType dtype : {DType::f32, DType::bf16}) {
      bool isSuffix = std::string(spec).ends_with("suffix");
      Case entry = onGrid(spec, {6, 3, 5}, small, 21, isSuffix ? 37 : 21);
      if (std::string(spec) != "head_patterns@prefix")
        for (const char *name : {"block_q", "block_k"})
          entry.settings.erase(name);
      entry.dtype = dtype;
      cases.push_back(entry);
    }
}

// Several branches over the same blocks.
void addSeveral(std::vector<Case> &cases) {
  const Axes cube = {4, 4, 4};
  for (auto [text, textQ, textK] : {std::tuple{"@none", 0, 0}, {"@prefix", 21, 21}, {"@suffix", 21, 37}})
    for (const char *spec : {"pooled_queries", "tiled_branches", "blended", "three_ways"})
      for (DType dtype : {DType::f32, DType::bf16}) {
        bool isLarge = std::string(spec) == "pooled_queries";
        Case entry = onGrid(std::string(spec) + text, isLarge ? Axes{6, 5, 9} : Axes{6, 3, 5}, isLarge ? cube : small,
                            textQ, textK);
        for (const char *name : {"block_q", "block_k"})
          entry.settings.erase(name);
        entry.settings["block"] = isLarge ? "64" : "16";
        entry.dtype = dtype;
        cases.push_back(entry);
      }
  for (Given given : {Given::random, Given::allMarginal}) {
    Case entry = onGrid("tiled_branches@suffix", {3, 5, 9}, small, 5, 70);
    for (const char *name : {"block_q", "block_k"})
      entry.settings.erase(name);
    entry.given = given;
    entry.layout = Layout::tokensFirst;
    cases.push_back(entry);
  }
}

// Keys as they lie beside queries in the order of tiles.
void addAllKeys(std::vector<Case> &cases) {
  for (auto [text, textQ, textK] : {std::tuple{"@none", 0, 0}, {"@prefix", 21, 21}, {"@suffix", 21, 37}})
    for (const char *spec : {"heads_apart", "tiled_all"})
      for (DType dtype : {DType::f32, DType::bf16}) {
        Case entry = onGrid(std::string(spec) + text, {6, 3, 5}, small, textQ, textK);
        for (const char *name : {"block_q", "block_k"})
          entry.settings.erase(name);
        entry.settings["block"] = "16";
        entry.dtype = dtype;
        cases.push_back(entry);
      }
  for (auto [tile, window] : {std::pair{Axes{4, 4, 4}, 3.0}, {Axes{1, 16, 16}, 40.0}, {Axes{1, 1, 80}, 0.0}}) {
    Case entry = onGrid("tiled_all@suffix", {5, 9, 17}, tile, 70, 5);
    for (const char *name : {"block_q", "block_k"})
      entry.settings.erase(name);
    entry.settings["block"] = std::to_string(tile[0] * tile[1] * tile[2]);
    entry.parameters.emplace_back("window", window);
    entry.dtype = DType::f16;
    entry.layout = Layout::tokensFirst;
    cases.push_back(entry);
  }
}

// Lengths that cut a grid between its rows and inside of them, and text.
void addLengths(std::vector<Case> &cases) {
  for (auto [text, textQ, textK] : {std::tuple{"@none", 0, 0}, {"@prefix", 21, 21}, {"@suffix", 21, 37}})
    for (const char *spec : {"sparse_topk", "sla", "block_mean", "guarded", "sampled", "causal_sla", "pooled_queries",
                             "tiled_branches", "tiled_all"}) {
      bool isLarge = std::string(spec) == "pooled_queries", isOfOne = std::string(spec) != "sparse_topk" &&
                                                                      std::string(spec) != "sla" &&
                                                                      std::string(spec) != "block_mean";
      Case entry = onGrid(std::string(spec) + text, isLarge ? Axes{6, 5, 9} : Axes{6, 3, 5},
                          isLarge ? Axes{4, 4, 4} : small, textQ, textK);
      if (isOfOne) { // one parameter for both sides of a block
        for (const char *name : {"block_q", "block_k"})
          entry.settings.erase(name);
        entry.settings["block"] = isLarge ? "64" : "16";
      }
      entry.name = "lengths of a grid";
      auto n = static_cast<int32_t>(entry.shape.tokensQ), m = static_cast<int32_t>(entry.shape.tokensK);
      entry.queryLengths = {n - 13, 32};
      entry.keyLengths = {m - 5, 47};
      entry.poison = true;
      cases.push_back(entry);
      entry.queryLengths = {};
      entry.keyLengths = {0, m - 22};
      entry.dtype = DType::bf16;
      entry.layout = Layout::padded;
      cases.push_back(entry);
      entry.queryLengths = {1, n};
      entry.keyLengths = {};
      entry.dtype = DType::f16;
      entry.layout = Layout::tokensFirst;
      cases.push_back(entry);
    }
}

} // namespace

void addOrderCases(std::vector<Case> &cases) {
  addBranches(cases);
  addSizes(cases);
  addSelections(cases);
  addRegions(cases);
  addSeveral(cases);
  addAllKeys(cases);
  addSamples(cases);
  addLengths(cases);
}

} // namespace tercet::test
