// Masks, score functions and static patterns of language models.
#include "PublishedRules.h"

#include <algorithm>
#include <cmath>

namespace tercet::test {
namespace {

using reference::Shape;

bool isPast(const Pair &p) { return p.j <= p.i; }
bool past(const Pair &p, const TableReader &) { return isPast(p); }
bool all(const Pair &, const TableReader &) { return true; }

bool isPowerOfTwo(int64_t value) {
  return value > 0 && std::exp2(std::round(std::log2(double(value)))) == double(value);
}

/// The integer hash of bigbird.mlir in 32 bits: BigBird's paper draws its random blocks anyhow.
bool isRandomBlock(int64_t head, int64_t row, int64_t column, int64_t blocks) {
  auto draw = static_cast<uint32_t>(row) * 1103515245u ^ static_cast<uint32_t>(head) * 12345u;
  for (int number = 0; number < 3; ++number) {
    uint32_t sum = draw * 1103515245u + 12345u;
    draw = (sum ^ static_cast<uint32_t>(static_cast<int32_t>(sum) >> 16)) & 0x7fffffffu;
    if (static_cast<int64_t>(draw) % blocks == column)
      return true;
  }
  return false;
}

const Shape small{.batch = 2, .heads = 2, .headsKV = 1, .tokensQ = 150, .headDim = 32};
const Shape cross{.batch = 2, .heads = 2, .tokensQ = 70, .tokensK = 170, .headDim = 32};
const Shape square{.batch = 1, .heads = 2, .tokensQ = 300, .headDim = 32};
const std::map<std::string, std::string> blocks16 = {{"block_q", "16"}, {"block_k", "16"}};

void addMasks(std::vector<PublishedRule> &rules) {
  rules.push_back({"Self-attention Does Not Need O(n^2) Memory", "dense", {}, {}, cross, all});
  rules.push_back({"Do Not (Always) Look Right", "causal", {}, {}, cross, past});
  rules.push_back({"Do Not (Always) Look Right", "dense", {}, {}, small, all}); // the layers without a mask
  rules.push_back({"Causal attention behind a cache",
                   "causal",
                   {{"align_ends", "true"}},
                   {},
                   cross,
                   [](const Pair &p, const TableReader &) { return p.j - p.tokensK <= p.i - p.tokensQ; }});
  rules.push_back({"Longformer (local part)",
                   "window",
                   {},
                   {{"left", 20}, {"right", 35}},
                   cross,
                   [](const Pair &p, const TableReader &) { return p.j >= p.i - 20 && p.j <= p.i + 35; }});
  rules.push_back(
      {"StreamingLLM", "streaming", {}, {{"sink", 3}, {"window", 40}}, small, [](const Pair &p, const TableReader &) {
         return isPast(p) && (p.j < 3 || p.i - p.j < 40);
       }});
  rules.push_back(
      {"MoA",
       "moa",
       {},
       {{"sink", 5}},
       small,
       [](const Pair &p, const TableReader &) { return isPast(p) && (p.j < 5 || p.i - p.j < (p.head == 0 ? 10 : 60)); },
       {},
       {{"spans", [](auto at) { return at[0] == 0 ? 10 : 60; }}}});
  rules.push_back({"Packed documents",
                   "document",
                   {},
                   {},
                   small,
                   [](const Pair &p, const TableReader &) { return isPast(p) && p.i * p.i / 500 == p.j * p.j / 500; },
                   {},
                   {{"query_document", [](auto at) { return double(at[1] * at[1] / 500); }},
                    {"key_document", [](auto at) { return double(at[1] * at[1] / 500); }}}});
  rules.push_back({"Prefix LM",
                   "prefix_lm",
                   {},
                   {},
                   small,
                   [](const Pair &p, const TableReader &) { return isPast(p) || p.j < (p.batch == 0 ? 37 : 0); },
                   {},
                   {{"prefix", [](auto at) { return at[0] == 0 ? 37 : 0; }}}});
  rules.push_back(
      {"Sparse Transformers", "strided", {}, {{"stride", 12}}, small, [](const Pair &p, const TableReader &) {
         return isPast(p) && (p.i - p.j < 12 || (p.i - p.j) % 12 == 0);
       }});
  rules.push_back(
      {"Sparse Transformers",
       "fixed",
       {},
       {{"stride", 20}, {"summary", 3}},
       small,
       [](const Pair &p, const TableReader &) { return isPast(p) && (p.i / 20 == p.j / 20 || p.j % 20 >= 17); }});
}

void addScores(std::vector<PublishedRule> &rules) {
  rules.push_back(
      {"Gemma 2 (softcap)", "softcap", {}, {{"cap", 2}}, small, past, [](double s, const Pair &, const TableReader &) {
         return 2 * std::tanh(s / 2);
       }});
  rules.push_back({"ALiBi",
                   "alibi",
                   {},
                   {},
                   small,
                   past,
                   [](double s, const Pair &p, const TableReader &) {
                     return s - std::exp2(-8.0 * double(p.head + 1) / double(p.heads)) * double(p.i - p.j);
                   },
                   {{"slopes", [](auto at) { return std::exp2(-4.0 * double(at[0] + 1)); }}}});
  rules.push_back({"Relative position biases",
                   "relative_bias",
                   {},
                   {{"reach", 7}},
                   cross,
                   all,
                   [](double s, const Pair &p, const TableReader &table) {
                     return s + table("bias", {p.head, std::clamp<int64_t>(p.j - p.i, -7, 8) + 7});
                   }});
  rules.push_back(
      {"FlashBias (dense bias)", "bias", {}, {}, cross, all, [](double s, const Pair &p, const TableReader &table) {
         return s + table("bias", {p.batch, p.head, p.i, p.j});
       }});
  rules.push_back({"ACT (given scales)",
                   "bias",
                   {},
                   {},
                   small,
                   all,
                   [](double s, const Pair &p, const TableReader &) {
                     return p.j % 9 == 0 ? s + std::log(0.25) : s; // a quarter of what the softmax gives the key
                   },
                   {{"bias", [](auto at) { return at[3] % 9 == 0 ? std::log(0.25) : 0.0; }}}});
  rules.push_back({"Selective Self-Attention (given temperatures of queries)",
                   "temperature",
                   {},
                   {},
                   small,
                   past,
                   [](double s, const Pair &p, const TableReader &table) {
                     return s * table("inverse", {p.batch, p.head, p.i});
                   }});
  rules.push_back(
      {"SLAB", "linear", {{"feature_map", "relu"}}, {}, cross, all, {}, {}, [](double x) { return std::max(x, 0.0); }});
  rules.push_back({"Linear Transformer (not causal)", "linear", {}, {}, small, all, {}, {}, [](double x) {
                     return x > 0 ? x + 1 : std::exp(x);
                   }});
}

void addBlockPatterns(std::vector<PublishedRule> &rules) {
  rules.push_back(
      {"PowerAttention", "power", blocks16, {{"sink", 1}, {"band", 2}}, square, [](const Pair &p, const TableReader &) {
         int64_t bi = p.i / 16, bj = p.j / 16;
         return isPast(p) && (bj == 0 || bi - bj < 2 || isPowerOfTwo(bi - bj));
       }});
  rules.push_back(
      {"S2-Attention", "s2", blocks16, {{"band", 2}, {"stride", 3}}, square, [](const Pair &p, const TableReader &) {
         int64_t bi = p.i / 16, bj = p.j / 16;
         return isPast(p) && (bi - bj < 2 || bj % 3 == p.head % 3);
       }});
  rules.push_back(
      {"BigBird", "bigbird", blocks16, {{"window", 3}, {"global", 1}}, square, [](const Pair &p, const TableReader &) {
         int64_t bi = p.i / 16, bj = p.j / 16, count = (p.tokensK + 15) / 16;
         return std::abs(bi - bj) <= 1 || bi == 0 || bj == 0 || isRandomBlock(p.head, bi, bj, count);
       }});
}

} // namespace

std::vector<PublishedRule> languageRules() {
  std::vector<PublishedRule> rules;
  addMasks(rules);
  addScores(rules);
  addBlockPatterns(rules);
  return rules;
}

} // namespace tercet::test
