// The shared numerics table. Sizes are small: every edge is a tail, a length or a class pattern, not a big tensor.
#include "BranchCases.h"
#include "OrderCases.h"
#include "PairCases.h"
#include "PoolScoreCases.h"
#include "RoutingCases.h"

namespace tercet::test {
namespace {

using reference::Shape;
using Cases = std::vector<Case>;

/// Block sizes small enough that a few hundred tokens make many blocks.
const std::map<std::string, std::string> smallBlocks = {{"block_q", "16"}, {"block_k", "16"}};

std::map<std::string, std::string> with(std::map<std::string, std::string> settings,
                                        std::initializer_list<std::pair<const std::string, std::string>> more) {
  for (const auto &[name, value] : more)
    settings[name] = value;
  return settings;
}

void addTails(Cases &cases) {
  const std::pair<int64_t, int64_t> sizes[] = {{1, 1},   {1, 65},   {65, 1},   {3, 2},     {17, 63},  {16, 16},
                                               {64, 64}, {63, 129}, {130, 67}, {200, 200}, {257, 300}};
  for (auto [n, m] : sizes) {
    Shape shape{.heads = 2, .tokensQ = n, .tokensK = m, .headDim = 64};
    cases.push_back({.name = "dense tail", .spec = "dense", .shape = shape});
    cases.push_back({.name = "topk tail", .spec = "sparse_topk", .parameters = {{"keep", 0.4}}, .shape = shape});
    for (const char *spec : {"sla", "sla_non_critical", "sla_all", "block_mean"})
      cases.push_back({.name = "region tail",
                       .spec = spec,
                       .settings = smallBlocks,
                       .parameters = {{"keep", 0.25}, {"drop", 0.25}},
                       .shape = shape});
  }
}

void addDimensions(Cases &cases) {
  const std::pair<int64_t, int64_t> dims[] = {{1, 1},    {8, 8},    {17, 17},   {40, 40},  {80, 80},
                                              {96, 96},  {64, 1},   {64, 3},    {64, 17},  {17, 64},
                                              {64, 128}, {128, 64}, {128, 128}, {128, 80}, {256, 256}};
  for (auto [d, dv] : dims) {
    Shape shape{.tokensQ = 70, .tokensK = 90, .headDim = d, .valueDim = dv};
    cases.push_back({.name = "dense dims", .spec = "dense", .shape = shape});
    for (const char *spec : {"sla", "sla_all", "block_mean"})
      cases.push_back({.name = "region dims",
                       .spec = spec,
                       .settings = smallBlocks,
                       .parameters = {{"keep", 0.3}, {"drop", 0.2}},
                       .shape = shape});
  }
}

void addHeadsAndLengths(Cases &cases) {
  const Shape grouped{.batch = 2, .heads = 6, .headsKV = 2, .tokensQ = 70, .tokensK = 53, .headDim = 32};
  const Shape single{.batch = 2, .heads = 3, .headsKV = 1, .tokensQ = 50, .tokensK = 75, .headDim = 32, .valueDim = 24};
  const Shape ragged{.batch = 4, .heads = 2, .tokensQ = 70, .tokensK = 90, .headDim = 40};
  for (const char *spec :
       {"dense", "sparse_topk", "sla", "sla_non_critical", "sla_all", "block_mean", "linear_dense"}) {
    bool classifies = std::string(spec) != "dense" && std::string(spec) != "linear_dense";
    auto settings = classifies ? smallBlocks : std::map<std::string, std::string>();
    std::vector<std::pair<std::string, double>> parameters;
    if (classifies)
      parameters = {{"keep", 0.3}};
    Case base{.spec = spec, .settings = settings, .parameters = parameters};
    for (const auto &[name, shape] : {std::pair{"grouped heads", grouped}, {"one kv head", single}}) {
      base.name = name;
      base.shape = shape;
      cases.push_back(base);
    }
    base.shape = ragged;
    base.name = "lengths";
    base.queryLengths = {70, 0, 33, 1};
    base.keyLengths = {90, 17, 0, 64};
    cases.push_back(base);
    base.name = "poison beyond lengths";
    base.poison = true;
    cases.push_back(base);
    base.name = "poison beyond lengths and in padding";
    base.layout = Layout::padded;
    base.dtype = DType::bf16;
    cases.push_back(base);
    base.name = "key lengths alone";
    base.layout = Layout::tokensFirst;
    base.dtype = DType::f32;
    base.queryLengths = {};
    cases.push_back(base);
  }
}

void addDTypesAndScales(Cases &cases) {
  for (DType dtype : {DType::f32, DType::bf16, DType::f16})
    for (double scale : {1.0, 4.0, 16.0})
      for (const char *spec :
           {"dense", "sparse_topk", "sla", "sla_all", "block_mean", "linear_branch", "linear_projected"}) {
        bool classifies = std::string(spec) != "dense";
        cases.push_back({.name = "dtype and scale",
                         .spec = spec,
                         .settings = classifies ? smallBlocks : std::map<std::string, std::string>(),
                         .parameters = classifies ? std::vector<std::pair<std::string, double>>{{"keep", 0.2}}
                                                  : std::vector<std::pair<std::string, double>>(),
                         .shape = {.heads = 2, .tokensQ = 150, .tokensK = 170, .headDim = 64},
                         .dtype = dtype,
                         .scale = scale,
                         .layout = scale == 4 ? Layout::padded : Layout::dense});
      }
}

void addSelections(Cases &cases) {
  const Shape shape{.batch = 2, .heads = 2, .tokensQ = 150, .tokensK = 170, .headDim = 48};
  auto add = [&](std::string name, std::vector<std::pair<std::string, double>> parameters,
                 std::initializer_list<std::pair<const std::string, std::string>> settings = {}) {
    cases.push_back({.name = std::move(name),
                     .spec = "sla",
                     .settings = with(smallBlocks, settings),
                     .parameters = std::move(parameters),
                     .shape = shape});
  };
  add("keep nothing", {{"keep", 0}, {"drop", 0}});
  add("keep nothing, drop everything", {{"keep", 0}, {"drop", 1}});
  add("keep everything", {{"keep", 1}, {"drop", 0}});
  add("drop the rest", {{"keep", 0.4}, {"drop", 0.6}});
  add("keep the minimum", {{"keep", 0.01}, {"min_keep", 3}});
  add("no minimum", {{"keep", 0.01}, {"min_keep", 0}});
  add("a minimum above the blocks", {{"keep", 0.01}, {"min_keep", 100}});
  add("scale", {{"keep", 0.3}, {"scale", 0.3}});
  add("eps", {{"keep", 0.3}, {"eps", 0.5}});
  for (const char *rule : {"floor", "ceil", "round"})
    add(std::string("count rule ") + rule, {{"keep", 0.25}, {"drop", 0.15}}, {{"count_rule", rule}});
  add("sink", {{"keep", 0.2}, {"drop", 0.3}, {"sink", 2}});
  add("a sink of everything", {{"keep", 0.2}, {"drop", 0.3}, {"sink", 50}});
  add("diagonal", {{"keep", 0.1}, {"drop", 0.7}}, {{"diagonal", "true"}});
  add("forced blocks count", {{"keep", 0.3}, {"drop", 0.3}, {"sink", 1}},
      {{"diagonal", "true"}, {"forced_counts", "true"}});
  for (const char *rows : {"16", "48", "64", "128", "256"})
    for (const char *keys : {"16", "80", "128", "256"})
      add("blocks", {{"keep", 0.3}, {"drop", 0.3}}, {{"block_q", rows}, {"block_k", keys}, {"diagonal", "true"}});
  for (const char *map : {"softmax", "elu", "relu"})
    for (const char *over : {"marginal", "non_critical", "all"})
      add("feature map and scope", {{"keep", 0.2}, {"drop", 0.3}}, {{"feature_map", map}, {"linear_over", over}});
  cases.push_back({.name = "counts", .spec = "counted", .shape = shape});
  cases.push_back({.name = "counts of everything", .spec = "counted", .parameters = {{"keep", 100}}, .shape = shape});
  cases.push_back({.name = "no projection", .spec = "unprojected", .shape = shape});
  cases.push_back({.name = "diagonal beyond the keys",
                   .spec = "sparse_topk",
                   .settings = {{"block_q", "16"}, {"block_k", "64"}, {"diagonal", "true"}},
                   .parameters = {{"keep", 0.0}},
                   .shape = {.tokensQ = 120, .tokensK = 66, .headDim = 32}});
  for (const char *spec : {"sla", "sparse_topk", "block_mean"}) {
    cases.push_back({.name = "ties",
                     .spec = spec,
                     .settings = smallBlocks,
                     .parameters = {{"keep", 0.3}},
                     .shape = shape,
                     .content = Content::ties});
    cases.push_back({.name = "clusters",
                     .spec = spec,
                     .settings = {{"block_q", "64"}, {"block_k", "64"}},
                     .parameters = {{"keep", 0.2}},
                     .shape = {.heads = 2, .tokensQ = 300, .tokensK = 420, .headDim = 64},
                     .content = Content::clustered});
  }
}

void addRules(Cases &cases) {
  const Shape shape{.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 150, .tokensK = 170, .headDim = 24};
  const std::pair<const char *, double> rules[] = {{"top_fraction", 0.3}, {"top_count", 4},  {"top_mass", 0.45},
                                                   {"above", 0.12},       {"relative", 0.6}, {"percentile", 0.7},
                                                   {"within_mass", 0.6}};
  for (auto [rule, keep] : rules)
    for (const char *scope : {"row", "head", "all_heads", "group"}) {
      Case base{.spec = std::string("ranked:") + rule,
                .settings = {{"scope", scope}},
                .parameters = {{"keep", keep}},
                .shape = shape};
      auto add = [&](std::string name, std::vector<std::pair<std::string, double>> parameters,
                     std::initializer_list<std::pair<const std::string, std::string>> settings = {}) {
        Case entry = base;
        entry.name = std::move(name);
        entry.settings = with(base.settings, settings);
        entry.parameters.insert(entry.parameters.end(), parameters.begin(), parameters.end());
        cases.push_back(entry);
        return &cases.back();
      };
      add("rule and scope", {});
      add("rule, scope and forced blocks", {{"sink", 1}, {"max_keep", 5}}, {{"diagonal", "true"}});
      Case *lengths = add("rule, scope and lengths", {{"min_keep", 2}, {"sink", 2}, {"scale", 3}},
                          {{"forced_counts", "true"}, {"center", "true"}});
      lengths->queryLengths = {150, 81};
      lengths->keyLengths = {33, 170};
      lengths->poison = true;
      Case *ties = add("rule, scope and ties", {}, {{"block_k", "32"}});
      ties->content = Content::ties;
      ties->shape.tokensK = 150; // the tail, whose mean is rounded, has no equal
      add("rule, scope and guard", {{"guard", 0.3}})->content = Content::clustered;
      add("rule, scope and shares", {}, {{"by_share", "true"}});
      if (std::string(scope) != "group")
        add("rule, scope and forced blocks apart", {{"guard", 0.3}, {"sink", 1}},
            {{"diagonal", "true"}, {"apart", "true"}, {"forced_counts", "true"}})
            ->content = Content::clustered;
    }
}

void addBranches(Cases &cases) {
  const Shape shape{.batch = 2, .heads = 2, .tokensQ = 100, .tokensK = 130, .headDim = 32, .valueDim = 40};
  auto add = [&](Case entry) {
    entry.settings = with(smallBlocks, {{"feature_map", entry.content == Content::negative ? "relu" : "softmax"}});
    if (entry.spec == "block_mean" || entry.spec == "sparse_topk")
      entry.settings.erase("feature_map");
    entry.shape = shape;
    cases.push_back(entry);
  };
  const std::pair<const char *, Given> patterns[] = {{"classes at random", Given::random},
                                                     {"classes for all heads", Given::broadcast},
                                                     {"everything critical", Given::allCritical},
                                                     {"everything marginal", Given::allMarginal},
                                                     {"everything negligible", Given::allNegligible}};
  for (const char *spec :
       {"sla", "sla_non_critical", "sla_all", "linear_branch", "linear_projected", "block_mean", "sparse_topk"})
    for (auto [name, given] : patterns) {
      add({.name = name, .spec = spec, .given = given});
      if (given == Given::random)
        add({.name = "random classes and lengths",
             .spec = spec,
             .queryLengths = {60, 100},
             .keyLengths = {130, 49},
             .given = given,
             .layout = Layout::padded,
             .poison = true});
    }
  for (const char *spec : {"sla", "sla_all", "linear_branch", "linear_projected"})
    add({.name = "relu of negative features", .spec = spec, .content = Content::negative});
  for (const char *spec : {"sla", "sla_non_critical", "sla_all"})
    for (auto [name, weights] : {std::pair{"no weights", Weights::absent},
                                 {"large weights", Weights::large},
                                 {"w alone", Weights::weightOnly},
                                 {"b alone", Weights::biasOnly}})
      add({.name = name, .spec = spec, .parameters = {{"keep", 0.3}}, .weights = weights});
}

} // namespace

const std::vector<Case> &caseTable() {
  static const std::vector<Case> table = [] {
    Cases cases;
    addTails(cases);
    addDimensions(cases);
    addHeadsAndLengths(cases);
    addDTypesAndScales(cases);
    addSelections(cases);
    addRules(cases);
    addBranches(cases);
    addPooledMeanCases(cases);
    addPairCases(cases);
    addBranchCases(cases);
    addOrderCases(cases);
    addRoutingCases(cases);
    addPoolScoreCases(cases);
    return cases;
  }();
  return table;
}

} // namespace tercet::test
