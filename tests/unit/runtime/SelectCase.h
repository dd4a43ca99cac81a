// SelectCase: a selection problem with scores handed in, run through the builtins, and classified by sorting.
#pragma once

#include "BuiltinCase.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tercet::test {

struct SelectCase {
  int64_t batch = 1, headsKV = 1, repeat = 1, tokensQ = 0, tokensK = 0, blockQ = 64, blockK = 64, blocksQ = 0,
          blocksK = 0;
  std::vector<int32_t> qLengths, kLengths;
  KeepRule keepRule = KeepRule::fraction;
  CountRule countRule = CountRule::floor;
  SelectScope scope = SelectScope::row;
  double keep = 0, drop = 0;
  bool dropIsCount = false, diagonal = false, forcedCounts = false;
  int64_t minKeep = 1, maxKeep = 1 << 30, sink = 0;
  std::vector<float> budgets;        // [heads]
  std::vector<uint8_t> rules;        // [batch, heads, blocksQ, blocksK]
  std::vector<float> alikeQ, alikeK; // [batch, heads, blocksQ], [batch, headsKV, blocksK]
  double guard = 0;
  std::vector<float> scores;  // [batch, heads, blocksQ, blocksK]
  bool throughKernel = false; // scores as a kernel's products rather than as a table

  int64_t heads() const { return headsKV * repeat; }
  size_t mapSize() const { return size_t(batch * heads() * blocksQ * blocksK); }
  int64_t liveQ(int64_t b) const { return lengthOf(qLengths, b, tokensQ); }
  int64_t liveK(int64_t b) const { return lengthOf(kLengths, b, tokensK); }
  bool byShare() const {
    return keepRule == KeepRule::mass || keepRule == KeepRule::within || keepRule == KeepRule::above ||
           keepRule == KeepRule::relative;
  }
  size_t place(int64_t bh, int64_t i, int64_t j) const { return size_t((bh * blocksQ + i) * blocksK + j); }

  std::vector<int8_t> run() const;
  std::vector<int8_t> expected() const;
};

/// A block of a span as the rule sees it.
struct SpanBlock {
  size_t place;
  double rank, share, logShare;
  enum { candidate, forced, partial, forbidden, empty } state;
};

inline int64_t countOf(double amount, bool isCount, CountRule rule, int64_t n, double slack = 1e-9) {
  double count = isCount                    ? amount
                 : rule == CountRule::floor ? std::floor(amount * n + slack * n)
                 : rule == CountRule::ceil  ? std::ceil(amount * n - slack * n)
                                            : std::floor(amount * n + 0.5);
  return std::min<int64_t>(int64_t(count), n);
}

/// Stands for the compiled kernel: "mean" rows hold the scores themselves.
inline int64_t scoreColumns;
inline void scoresAsProducts(const int64_t *slots, int64_t, int64_t, int64_t, char *) {
  const float *rows = reinterpret_cast<const float *>(slots[0]);
  float *out = reinterpret_cast<float *>(slots[2]);
  for (int64_t r = 0; r < slots[3]; ++r)
    for (int64_t j = 0; j < slots[4] * 64; ++j)
      out[r * slots[4] * 64 + j] = j < scoreColumns ? rows[r * scoreColumns + j] : poison;
}

inline std::vector<int8_t> SelectCase::run() const {
  std::vector<int8_t> classes(mapSize(), 77);
  std::vector<int32_t> keys(mapSize(), 77);
  std::vector<SpanRow> spanRows(size_t(batch * heads() * blocksQ));
  std::vector<SpanBounds> bounds(size_t(batch * heads()));
  SelectSlots s = {};
  s.scores.source = int64_t(throughKernel ? ScoreSource::pooled : ScoreSource::given);
  s.scores.scale = 1;
  s.scores.meanQ = scores.data(), s.scores.meanTilesPerPair = ceilDiv(blocksK, 64);
  s.scores.table = scores.data(), s.scores.tableStrideJ = 1, s.scores.tableStrideI = blocksK;
  s.scores.tableStrideH = blocksQ * blocksK, s.scores.tableStrideB = heads() * blocksQ * blocksK;
  s.alikeQ = alikeQ.empty() ? nullptr : alikeQ.data(), s.alikeK = alikeK.empty() ? nullptr : alikeK.data();
  s.guard = guard;
  s.rules = rules.empty() ? nullptr : rules.data();
  s.budgets = budgets.empty() ? nullptr : budgets.data(), s.budgetStride = 1;
  s.classes = classes.data();
  s.strideB = s.scores.tableStrideB, s.strideH = s.scores.tableStrideH, s.strideI = blocksK;
  s.qLengths = pointerTo(qLengths), s.kLengths = pointerTo(kLengths);
  s.headsKV = headsKV, s.headsPerKV = repeat, s.tokensQ = tokensQ, s.tokensK = tokensK, s.headDim = blocksK;
  s.blockQ = blockQ, s.blockK = blockK, s.blocksQ = blocksQ, s.blocksK = blocksK, s.rowsPerItem = 64;
  s.keep = keep, s.drop = drop, s.keepRule = int64_t(keepRule), s.dropIsCount = dropIsCount;
  s.countRule = int64_t(countRule), s.scope = int64_t(scope), s.minKeep = minKeep, s.maxKeep = maxKeep;
  s.sink = sink, s.diagonal = diagonal, s.forcedCounts = forcedCounts;
  s.headsPerSpan = scope == SelectScope::allHeads ? heads() : 1;
  s.keys = keys.data(), s.spanRows = spanRows.data(), s.bounds = bounds.data();
  scoreColumns = blocksK;
  int64_t chunks = ceilDiv(blocksQ, 64), all = batch * heads();
  if (scope == SelectScope::row || scope == SelectScope::group) {
    runBuiltin(throughKernel ? "select" : "select_given", s, chunks, scope == SelectScope::row ? all : batch * headsKV,
               scoresAsProducts);
  } else {
    runBuiltin(throughKernel ? "span_keys" : "span_keys_given", s, chunks, all, scoresAsProducts);
    runBuiltin("span_bounds", s, all / s.headsPerSpan, 1);
    runBuiltin("span_classes", s, chunks, all);
  }
  return classes;
}

/// One row of a head: states by docs/spec.md#select, P by a softmax in f64.
inline std::vector<SpanBlock> rowOf(const SelectCase &c, int64_t bh, int64_t i) {
  int64_t b = bh / c.heads(), liveQ = c.liveQ(b), liveK = c.liveK(b);
  std::vector<SpanBlock> row;
  double most = -INFINITY, sum = 0;
  for (int64_t j = 0; j < c.blocksK; ++j) {
    size_t place = c.place(bh, i, j);
    int64_t qEnd = std::min((i + 1) * c.blockQ, liveQ), kEnd = std::min((j + 1) * c.blockK, liveK);
    int rule = c.rules.empty() ? 0 : c.rules[place];
    bool isForced =
        j < c.sink || rule & 4 || (c.diagonal && std::max(i * c.blockQ, j * c.blockK) < std::min(qEnd, kEnd));
    if (!c.alikeQ.empty())
      isForced |=
          c.alikeQ[size_t(bh * c.blocksQ + i)] < c.guard || c.alikeK[size_t(bh / c.repeat * c.blocksK + j)] < c.guard;
    SpanBlock block = {place, double(c.scores[place]), 0, 0, SpanBlock::candidate};
    if (i * c.blockQ >= liveQ || j * c.blockK >= liveK || rule & 1)
      block.state = SpanBlock::empty;
    else if (rule & 2)
      block.state = SpanBlock::partial;
    else if (isForced)
      block.state = SpanBlock::forced;
    else if (rule & 8)
      block.state = SpanBlock::forbidden;
    if (block.state != SpanBlock::empty && block.rank > most)
      most = block.rank;
    row.push_back(block);
  }
  for (SpanBlock &block : row) {
    if (block.state != SpanBlock::empty && !std::isnan(block.rank) && most > -INFINITY)
      block.share = block.rank == most ? 1 : std::exp(block.rank - most);
    sum += block.share;
  }
  for (SpanBlock &block : row) {
    block.share = sum > 0 ? block.share / sum : 0;
    block.logShare = sum <= 0                                 ? -INFINITY
                     : most == INFINITY || block.rank == most ? std::log(block.share)
                                                              : block.rank - most - std::log(sum);
  }
  return row;
}

/// docs/spec.md#select, steps 2 to 4, by sorting. Places of `row` are in span order.
inline void classifySpan(const SelectCase &c, double keep, const std::vector<SpanBlock> &span,
                         std::vector<int8_t> &classes) {
  std::vector<const SpanBlock *> order;
  int64_t live = 0, spending = 0;
  double total = 0, spent = 0, largest = 0;
  for (const SpanBlock &block : span) {
    classes[block.place] = block.state == SpanBlock::forced || block.state == SpanBlock::partial ? 1 : -1;
    if (block.state == SpanBlock::candidate)
      order.push_back(&block);
    live += block.state != SpanBlock::empty;
    spending += c.forcedCounts && block.state == SpanBlock::forced;
    total += block.share;
    spent += c.forcedCounts && block.state == SpanBlock::forced ? block.share : 0;
    largest = std::max(largest, block.share);
  }
  auto rank = [&](const SpanBlock *block) {
    return std::isnan(block->rank) ? std::pair(0, 0.0) : std::pair(1, block->rank);
  };
  std::stable_sort(order.begin(), order.end(), [&](auto *a, auto *b) { return rank(a) > rank(b); });
  auto number = int64_t(order.size());
  int64_t kept = 0;
  double slack = c.budgets.empty() ? 1e-9 : 1e-7;
  if (c.keepRule == KeepRule::fraction || c.keepRule == KeepRule::count)
    kept = countOf(keep, c.keepRule == KeepRule::count, c.countRule, live, slack) - spending;
  else if (c.keepRule == KeepRule::mass)
    for (double sum = spent; kept < number && sum < (keep - 1e-9) * total;)
      sum += order[size_t(kept++)]->share;
  else if (c.keepRule == KeepRule::within) {
    double sum = spent;
    while (keep > 0 && kept < number && total > 0) {
      sum += order[size_t(kept)]->share;
      if (keep < 1 && sum >= (keep + 1e-9) * total)
        break;
      ++kept;
    }
  } else if (c.keepRule == KeepRule::percentile) {
    auto least = int64_t(std::ceil(keep * double(number) - slack * double(number)));
    while (kept < number && (least <= 0 || rank(order[size_t(kept)]) >= rank(order[size_t(number - least)])))
      ++kept;
  } else {
    double bound = c.keepRule == KeepRule::above ? keep : keep * largest;
    for (const SpanBlock *block : order)
      kept += block->share >= bound;
  }
  if (keep > 0)
    kept = std::max(kept, c.minKeep - spending);
  kept = std::clamp<int64_t>(std::min(kept, c.maxKeep - spending), 0, number);
  for (int64_t at = 0; at < kept; ++at)
    classes[order[size_t(at)]->place] = 1;
  std::vector<const SpanBlock *> rest(order.begin() + kept, order.end());
  std::sort(rest.begin(), rest.end());
  std::stable_sort(rest.begin(), rest.end(), [&](auto *a, auto *b) { return rank(a) < rank(b); });
  int64_t dropped = std::min<int64_t>(countOf(c.drop, c.dropIsCount, c.countRule, live), int64_t(rest.size()));
  for (int64_t at = 0; at < int64_t(rest.size()); ++at)
    classes[rest[size_t(at)]->place] = at < dropped ? -1 : 0;
}

inline double keepOf(const SelectCase &c, int64_t firstHead, int64_t count) {
  if (c.budgets.empty())
    return c.keep;
  double sum = 0;
  for (int64_t h = firstHead; h < firstHead + count; ++h) {
    double budget = std::isnan(c.budgets[size_t(h)]) ? 0 : std::max(0.0, double(c.budgets[size_t(h)]));
    sum += c.keepRule == KeepRule::count ? std::floor(budget) : std::min(budget, 1.0);
  }
  return sum / double(count);
}

/// The rows of the heads of a KV head as one row of the mean of P.
inline std::vector<SpanBlock> groupRow(const SelectCase &c, int64_t pair, int64_t i) {
  std::vector<SpanBlock> merged = rowOf(c, pair * c.repeat, i);
  for (SpanBlock &block : merged)
    block.share /= double(c.repeat);
  for (int64_t r = 1; r < c.repeat; ++r) {
    std::vector<SpanBlock> other = rowOf(c, pair * c.repeat + r, i);
    for (size_t j = 0; j < merged.size(); ++j) {
      merged[j].share += other[j].share / double(c.repeat);
      for (auto state :
           {SpanBlock::partial, SpanBlock::forced, SpanBlock::forbidden, SpanBlock::candidate, SpanBlock::empty})
        if (merged[j].state == state || other[j].state == state) {
          merged[j].state = state;
          break;
        }
    }
  }
  for (SpanBlock &block : merged)
    block.rank = block.share;
  return merged;
}

inline std::vector<int8_t> SelectCase::expected() const {
  std::vector<int8_t> classes(mapSize());
  int64_t all = batch * heads(), together = scope == SelectScope::allHeads ? heads() : 1;
  std::vector<SpanBlock> span;
  for (int64_t bh = 0; bh < all; ++bh)
    for (int64_t i = 0; i < blocksQ; ++i) {
      if (scope == SelectScope::group) {
        int64_t first = bh / repeat * repeat;
        std::vector<int8_t> shared(classes.size());
        std::vector<SpanBlock> row = rowOf(*this, bh, i);
        classifySpan(*this, keepOf(*this, first % heads(), repeat), groupRow(*this, bh / repeat, i), shared);
        for (int64_t j = 0; j < blocksK; ++j)
          classes[place(bh, i, j)] = row[size_t(j)].state == SpanBlock::empty ? -1 : shared[place(first, i, j)];
        continue;
      }
      for (SpanBlock block : rowOf(*this, bh, i)) {
        if (byShare() && scope != SelectScope::row && !std::isnan(block.rank))
          block.rank = block.logShare;
        span.push_back(block);
      }
      bool isLast = scope == SelectScope::row || (i + 1 == blocksQ && (bh + 1) % together == 0);
      if (isLast) {
        classifySpan(*this, keepOf(*this, bh % heads() + 1 - together, together), span, classes);
        span.clear();
      }
    }
  return classes;
}

} // namespace tercet::test
