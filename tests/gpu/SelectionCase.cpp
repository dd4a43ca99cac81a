// The rules of selection once more, from the text: a list of candidates per scope, sorted.
#include "gpu/SelectionCase.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace tercet::test {

using reference::OwnedTensor;

Spec SelectionSpec::text() const {
  std::string table = "!tercet.table<[batch, head, query_block, key_block], f32>",
              budget = "!tercet.table<[head], f32>";
  std::string text =
      fmt::format("tercet.spec @chosen(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %gate: {}{}) {{\n",
                  table, budgets ? ", %budget: " + budget : "");
  auto param = [&](const char *name, const std::string &value, const char *type) {
    text += fmt::format("  %{0} = tercet.param {0} = {1} : !tercet.{2}\n", name, value, type);
  };
  param("block", "16", "static<i64>");
  param("keep", "0.0", "runtime<f64>");
  param("drop", "0.0", "runtime<f64>");
  for (const char *name : {"min_keep", "max_keep", "sink"})
    param(name, "1", "runtime<i64>");
  param("count_rule", rounding, "static<keyword>");
  param("scope", scope, "static<keyword>");
  param("diagonal", diagonal ? "true" : "false", "static<flag>");
  param("forced_counts", forcedCounts ? "true" : "false", "static<flag>");
  text += fmt::format("  %scores = tercet.given_scores %gate blocks(%block, %block) : {}\n", table);
  text += fmt::format(
      "  %classes = tercet.select %scores keep {}(%keep) drop {}(%drop) count(%count_rule) min_keep(%min_keep) "
      "max_keep(%max_keep) sink(%sink) diagonal(%diagonal) forced_counts(%forced_counts) scope(%scope)",
      keep, dropIsCount ? "bottom_count" : "bottom_fraction");
  if (budgets)
    text += fmt::format(" budgets(%budget : {})", budget);
  text += "\n  tercet.skip %classes[marginal, negligible]\n"
          "  %o = tercet.sparse %q, %k, %v on %classes[critical]\n  tercet.return %o\n}\n";
  return {.text = text,
          .origin =
              fmt::format("{} {} {} {} {} {} {}", keep, scope, rounding, dropIsCount, diagonal, forcedCounts, budgets)};
}

reference::Data SelectionCall::inputs() const {
  reference::Data data;
  auto add = [&](const char *name, DType dtype, std::vector<int64_t> shape) -> const Tensor & {
    return data.tensors.emplace_back(name, OwnedTensor::make(dtype, std::move(shape))).second.view();
  };
  add("q", DType::bf16, {batch, heads, tokensQ, 16});
  add("k", DType::bf16, {batch, headsKV, tokensK, 16});
  add("v", DType::bf16, {batch, headsKV, tokensK, 16});
  for (auto [name, lengths] : {std::pair{"q_len", &queryLengths}, {"k_len", &keyLengths}})
    if (!lengths->empty()) {
      const Tensor &tensor = add(name, DType::i32, {batch});
      for (int64_t b = 0; b < batch; ++b)
        tensor.set((*lengths)[b], b);
    }
  if (!budgets.empty()) {
    const Tensor &tensor = add("budget", DType::f32, {static_cast<int64_t>(budgets.size())});
    for (size_t h = 0; h < budgets.size(); ++h)
      tensor.set(budgets[h], static_cast<int64_t>(h));
  }
  OwnedTensor gate = OwnedTensor::makeStrided(
      DType::f32, {shared ? 1 : batch, shared ? 1 : heads, blocksQ(), blocksK()}, {0, 1, 0, 3});
  reference::RandomStream random(seed, "gate");
  const Tensor &scores = gate.view();
  uint64_t next = 0;
  for (int64_t b = 0; b < scores.shape[0]; ++b)
    for (int64_t h = 0; h < scores.shape[1]; ++h)
      for (int64_t i = 0; i < scores.shape[2]; ++i)
        for (int64_t j = 0; j < scores.shape[3]; ++j) {
          double value = 1.5 * random.normal(next), chance = random.uniform(++next);
          if (content == ScoreContent::ties)
            value = std::round(value);
          if (content == ScoreContent::special && chance < 0.4)
            value = chance < 0.15 ? std::numeric_limits<double>::quiet_NaN() : chance < 0.3 ? -HUGE_VAL : HUGE_VAL;
          scores.set(value, b, h, i, j);
        }
  data.tensors.emplace_back("gate", std::move(gate));
  return data;
}

Arguments SelectionCall::arguments(const reference::Data &inputs) const {
  Arguments arguments = inputs.arguments();
  arguments.parameters = {{"keep", keep},
                          {"drop", drop},
                          {"min_keep", static_cast<double>(minKeep)},
                          {"max_keep", static_cast<double>(maxKeep)},
                          {"sink", static_cast<double>(sink)}};
  return arguments;
}

namespace {

enum class Kind : uint8_t { empty, partial, forced, forbidden, candidate };

struct Block {
  Kind kind = Kind::empty;
  uint8_t rule = ruleEmpty;
  double score = 0, share = 0, rank = 0;
  int8_t value = -1;
};

Kind kindOf(uint8_t rule) {
  if (rule & (ruleEmpty | rulePartial))
    return rule & ruleEmpty ? Kind::empty : Kind::partial;
  return rule & ruleForced ? Kind::forced : rule & ruleForbidden ? Kind::forbidden : Kind::candidate;
}

struct Selector {
  const SelectionSpec &spec;
  const SelectionCall &call;
  const Tensor &scores;
  double nearestCut = 1;

  std::vector<Block> row(int64_t b, int64_t h, int64_t i) {
    std::vector<Block> blocks(call.blocksK());
    int64_t lengthQ = call.queryLengths.empty() ? call.tokensQ : call.queryLengths[b];
    int64_t lengthK = call.keyLengths.empty() ? call.tokensK : call.keyLengths[b];
    double top = -HUGE_VAL, total = 0;
    for (int64_t j = 0; j < call.blocksK(); ++j) {
      Block &block = blocks[j];
      if (16 * i >= lengthQ || 16 * j >= lengthK)
        continue;
      bool onDiagonal = spec.diagonal && std::max(i, j) * 16 < std::min({16 * i + 16, 16 * j + 16, lengthQ, lengthK});
      block.rule = call.ruleAt(b, h, i, j);
      if (j < call.sink || onDiagonal)
        block.rule |= ruleForced;
      block.kind = kindOf(block.rule);
      block.score = scores.get(call.shared ? 0 : b, call.shared ? 0 : h, i, j);
      if (block.score > top)
        top = block.score;
    }
    for (Block &block : blocks)
      if (block.kind != Kind::empty && block.score > -HUGE_VAL)
        total += block.share = block.score == top ? 1 : std::exp(block.score - top);
    for (Block &block : blocks)
      block.share = total > 0 ? block.share / total : 0;
    return blocks;
  }

  double amount(int64_t firstHead, int64_t heads) const {
    if (!spec.budgets)
      return call.keep;
    double sum = 0;
    for (int64_t h = firstHead; h < firstHead + heads; ++h) {
      double budget = static_cast<float>(call.budgets[std::min<size_t>(h, call.budgets.size() - 1)]);
      budget = std::isnan(budget) ? 0 : std::max(budget, 0.0);
      sum += spec.keep == "top_count" ? std::floor(budget) : std::min(budget, 1.0);
    }
    return sum / static_cast<double>(heads);
  }

  int64_t count(double amount, bool isCount, double decimalSlack, int64_t n) const {
    double blocks = amount * static_cast<double>(n), slack = decimalSlack * static_cast<double>(n);
    double result = isCount                    ? amount
                    : spec.rounding == "floor" ? std::floor(blocks + slack)
                    : spec.rounding == "ceil"  ? std::ceil(blocks - slack)
                                               : std::floor(blocks + 0.5);
    return static_cast<int64_t>(std::clamp(result, 0.0, static_cast<double>(n)));
  }

  double slackOf() const { return spec.budgets ? 1e-7 : 1e-9; }

  void noteCut(double distance) { nearestCut = std::min(nearestCut, std::fabs(distance)); }

  /// How many of the candidates, best first, a rule of scores names.
  int64_t named(const std::vector<Block *> &best, double keep, double all, double forced, double largest) {
    int64_t number = 0;
    if (spec.keep == "within_mass") {
      double sum = spec.forcedCounts ? forced : 0, most = (keep + 1e-9) * all;
      if (keep == 0 || all == 0)
        return 0;
      for (; number < static_cast<int64_t>(best.size()) && keep < 1; ++number) {
        sum += best[number]->share;
        noteCut((sum - most) / all);
        if (sum >= most)
          break;
      }
      return keep < 1 ? number : static_cast<int64_t>(best.size());
    }
    if (spec.keep == "top_mass") {
      double sum = spec.forcedCounts ? forced : 0, wanted = (keep - 1e-9) * all;
      if (keep == 0 || all == 0)
        return 0;
      for (; number < static_cast<int64_t>(best.size()); ++number) {
        noteCut((sum - wanted) / all);
        if (sum >= wanted)
          break;
        sum += best[number]->share;
      }
      return number;
    }
    if (spec.keep == "percentile") {
      auto c = static_cast<double>(best.size());
      auto position = static_cast<int64_t>(std::ceil(keep * c - slackOf() * c));
      if (position <= 0 || best.empty())
        return static_cast<int64_t>(best.size());
      double cut = best[best.size() - position]->rank;
      return std::count_if(best.begin(), best.end(), [&](const Block *block) { return !(block->rank < cut); });
    }
    double cut = spec.keep == "relative" ? keep * largest : keep;
    for (const Block *block : best) {
      number += block->share >= cut;
      if (block->share > 0)
        noteCut((block->share - cut) / block->share);
    }
    return number;
  }

  /// Ranks blocks that are in the order of ties.
  void classify(const std::vector<Block *> &blocks, double keep) {
    std::vector<Block *> best, rest;
    int64_t n = 0, forcedCount = 0;
    double all = 0, forced = 0, largest = 0;
    for (Block *block : blocks) {
      if (block->kind == Kind::empty)
        continue;
      ++n;
      all += block->share;
      largest = std::max(largest, block->share);
      forcedCount += block->kind == Kind::forced;
      forced += block->kind == Kind::forced ? block->share : 0;
      block->value = block->kind == Kind::forbidden ? -1 : block->kind == Kind::candidate ? 0 : 1;
      if (block->kind == Kind::candidate)
        best.push_back(block);
    }
    std::stable_sort(best.begin(), best.end(), [](const Block *a, const Block *b) { return a->rank > b->rank; });
    bool counts = spec.keep == "top_fraction" || spec.keep == "top_count";
    int64_t usedUp = spec.forcedCounts ? forcedCount : 0;
    int64_t number =
        counts ? count(keep, spec.keep == "top_count", slackOf(), n) : named(best, keep, all, forced, largest) + usedUp;
    if (keep > 0)
      number = std::max(number, call.minKeep);
    number = std::clamp<int64_t>(std::min(number, call.maxKeep) - usedUp, 0, static_cast<int64_t>(best.size()));
    for (int64_t index = 0; index < number; ++index)
      best[index]->value = 1;
    for (Block *block : blocks)
      if (block->kind == Kind::candidate && block->value == 0)
        rest.push_back(block);
    std::stable_sort(rest.begin(), rest.end(), [](const Block *a, const Block *b) { return a->rank < b->rank; });
    int64_t dropped = std::min<int64_t>(count(call.drop, spec.dropIsCount, 1e-9, n), static_cast<int64_t>(rest.size()));
    for (int64_t index = 0; index < dropped; ++index)
      rest[index]->value = -1;
  }
};

/// NaN lies below -infinity; a finite number that no score has stands for it.
double rankOf(double score) { return std::isnan(score) ? -HUGE_VAL : score == -HUGE_VAL ? -1e300 : score; }

} // namespace

ExpectedClasses expectClasses(const SelectionSpec &spec, const SelectionCall &call, const Tensor &scores) {
  Selector selector{spec, call, scores};
  bool weighs =
      spec.keep == "top_mass" || spec.keep == "within_mass" || spec.keep == "above" || spec.keep == "relative";
  bool isWide = spec.scope == "head" || spec.scope == "all_heads", isGroup = spec.scope == "group";
  int64_t share = call.heads / call.headsKV, heads = isGroup ? share : spec.scope == "all_heads" ? call.heads : 1;
  ExpectedClasses expected;
  for (int64_t b = 0; b < call.batch; ++b)
    for (int64_t first = 0; first < call.heads; first += heads) {
      std::vector<std::vector<Block>> rows;
      for (int64_t h = first; h < first + heads; ++h)
        for (int64_t i = 0; i < call.blocksQ(); ++i)
          rows.push_back(selector.row(b, h, i));
      std::vector<Kind> own; // of the first head of a group
      if (isGroup)
        for (int64_t i = 0; i < call.blocksQ(); ++i)
          for (int64_t j = 0; j < call.blocksK(); ++j) {
            Block &block = rows[i][j];
            own.push_back(block.kind);
            for (int64_t h = 1; h < heads; ++h) {
              const Block &other = rows[h * call.blocksQ() + i][j];
              block.share += other.share;
              if (other.kind != Kind::empty)
                block.rule = block.kind == Kind::empty ? other.rule : block.rule | other.rule;
              block.kind = kindOf(block.rule);
            }
            block.share /= static_cast<double>(heads);
          }
      for (std::vector<Block> &row : rows)
        for (Block &block : row)
          block.rank = isGroup || (isWide && weighs) ? block.share : rankOf(block.score);
      double keep = selector.amount(first, heads);
      std::vector<Block *> together;
      for (size_t r = 0; r < rows.size(); ++r) {
        if (isGroup && r >= static_cast<size_t>(call.blocksQ())) {
          for (int64_t j = 0; j < call.blocksK(); ++j)
            if (rows[r][j].kind != Kind::empty)
              rows[r][j].value = rows[r % call.blocksQ()][j].value;
          continue;
        }
        for (Block &block : rows[r])
          together.push_back(&block);
        if (isWide && r + 1 < rows.size())
          continue;
        selector.classify(together, keep);
        together.clear();
      }
      for (size_t index = 0; index < own.size(); ++index)
        if (own[index] == Kind::empty)
          rows[index / call.blocksK()][index % call.blocksK()].value = -1;
      for (const std::vector<Block> &row : rows)
        for (const Block &block : row)
          expected.values.push_back(block.value);
    }
  expected.nearestCut = selector.nearestCut;
  return expected;
}

} // namespace tercet::test
