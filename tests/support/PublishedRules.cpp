#include "PublishedRules.h"

#include "SpecSource.h"

#include <algorithm>
#include <cmath>

namespace tercet::test {
namespace {

using reference::Shape;

bool isPast(const Pair &p) { return p.j <= p.i; }

/// First entry of a window of `width` entries around `leader`, kept inside 0 .. size - 1.
int64_t clampedStart(int64_t leader, int64_t width, int64_t size) {
  return std::max<int64_t>(0, std::min(leader - width / 2, size - width));
}

bool isWithin(int64_t value, int64_t first, int64_t count) { return value >= first && value < first + count; }

/// Row-major coordinates (frame, row, column).
struct Place {
  int64_t t, y, x;
};
Place placeOf(int64_t token, int64_t height, int64_t width) {
  return {token / (height * width), token / width % height, token % width};
}

bool isNeighbour(const Pair &p, std::array<int64_t, 3> window, std::array<int64_t, 3> stride, int64_t height,
                 int64_t width) {
  Place query = placeOf(p.i, height, width), key = placeOf(p.j, height, width);
  int64_t frames = (p.tokensK + height * width - 1) / (height * width);
  const int64_t sizes[] = {frames, height, width}, from[] = {query.t, query.y, query.x}, to[] = {key.t, key.y, key.x};
  for (int axis = 0; axis < 3; ++axis) {
    int64_t group = from[axis] - from[axis] % stride[axis];
    int64_t leader = std::min(group + stride[axis] / 2, sizes[axis] - 1);
    if (!isWithin(to[axis], clampedStart(leader, window[axis], sizes[axis]), window[axis]))
      return false;
  }
  return true;
}

/// Radial attention, section 4.2: the width of the band halves with every doubling of the distance in time.
bool isRadial(const Pair &p, int64_t frame, int64_t narrowest, bool sink) {
  int64_t apart = std::abs(p.i / frame - p.j / frame), offset = std::abs(p.i % frame - p.j % frame);
  if (apart <= 1 || (sink && p.j / frame == 0))
    return true;
  int64_t bits = static_cast<int64_t>(std::floor(std::log2(static_cast<double>(apart)))) + 1;
  auto width = static_cast<int64_t>(static_cast<double>(frame) / std::exp2(bits));
  if (width >= narrowest)
    return offset < width;
  int64_t split = (narrowest + std::max<int64_t>(width, 1) - 1) / std::max<int64_t>(width, 1);
  return offset < narrowest && apart % split == 0;
}

/// Blocks that the causal mask cuts are always computed.
bool cutsDiagonal(int64_t bi, int64_t bj, int64_t block) {
  return bj * block < (bi + 1) * block && bi * block < (bj + 1) * block;
}

bool isPowerOfTwo(int64_t value) {
  return value > 0 && std::exp2(std::round(std::log2(double(value)))) == double(value);
}

/// The integer hash of bigbird.mlir in 32 bits.
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

std::vector<PublishedRule> makeRules() {
  const Shape small{.batch = 2, .heads = 2, .headsKV = 1, .tokensQ = 150, .headDim = 32};
  const Shape cross{.batch = 2, .heads = 2, .tokensQ = 70, .tokensK = 170, .headDim = 32};
  const Shape square{.batch = 1, .heads = 2, .tokensQ = 300, .headDim = 32};
  auto past = [](const Pair &p, const TableReader &) { return isPast(p); };
  auto all = [](const Pair &, const TableReader &) { return true; };
  std::vector<PublishedRule> rules;
  rules.push_back({"Self-attention Does Not Need O(n^2) Memory", "dense", {}, {}, cross, all});
  rules.push_back({"Do Not (Always) Look Right", "causal", {}, {}, cross, past});
  rules.push_back(
      {"Causal prefill", "causal", {{"align_ends", "true"}}, {}, cross, [](const Pair &p, const TableReader &) {
         return p.j - p.tokensK <= p.i - p.tokensQ;
       }});
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
      {"Gemma 2 (softcap)", "softcap", {}, {{"cap", 2}}, small, past, [](double s, const Pair &, const TableReader &) {
         return 2 * std::tanh(s / 2);
       }});
  rules.push_back({"ALiBi",
                   "alibi",
                   {},
                   {},
                   small,
                   past,
                   [](double s, const Pair &p, const TableReader &table) {
                     return s + table("slopes", {p.head}) * double(p.j - p.i);
                   },
                   {{"slopes", {0.25, 0.0625}}}});
  rules.push_back({"T5 / Shaw relative bias",
                   "relative_bias",
                   {},
                   {{"reach", 7}},
                   cross,
                   all,
                   [](double s, const Pair &p, const TableReader &table) {
                     return s + table("bias", {p.head, std::clamp<int64_t>(p.j - p.i, -7, 8) + 7});
                   }});
  rules.push_back(
      {"Packed documents", "document", {}, {}, small, [](const Pair &p, const TableReader &table) {
         return isPast(p) && table("query_document", {p.batch, p.i}) == table("key_document", {p.batch, p.j});
       }});
  rules.push_back({"E-MMDiT (subregions)",
                   "document",
                   {{"causal", "false"}},
                   {},
                   cross,
                   [](const Pair &p, const TableReader &table) {
                     return table("query_document", {p.batch, p.i}) == table("key_document", {p.batch, p.j});
                   }});
  rules.push_back(
      {"Prefix LM",
       "prefix_lm",
       {},
       {},
       small,
       [](const Pair &p, const TableReader &table) { return isPast(p) || p.j < table("prefix", {p.batch}); },
       {},
       {{"prefix", {37, 0}}}});
  auto bySegments = [](const Pair &p, const TableReader &table) {
    auto mine = static_cast<int64_t>(table("query_segment", {p.batch, p.i}));
    auto theirs = static_cast<int64_t>(table("key_segment", {p.batch, p.j}));
    return table("allowed", {mine, theirs}) != 0;
  };
  for (const char *system :
       {"Mask2DiT", "Long Context Tuning", "SAISA", "EE-MLLM", "Group Pose", "CrossMAE",
        "Object Recognition as Next Token Prediction", "4Real-Video-V2", "Efficient-vDiT", "ConditionVideo", "MasaCtrl",
        "DiTCtrl", "DiffUHaul", "Through-The-Mask", "PrimeComposer", "Scale-DiT"})
    rules.push_back({system, "segments", {}, {}, cross, bySegments});
  rules.push_back(
      {"Sparse Transformers", "strided", {}, {{"stride", 12}}, small, [](const Pair &p, const TableReader &) {
         return isPast(p) && (p.i - p.j < 12 || (p.i - p.j) % 12 == 0);
       }});
  rules.push_back({"Axial attention", "axial", {}, {{"width", 11}}, small, [](const Pair &p, const TableReader &) {
                     return p.i / 11 == p.j / 11 || p.i % 11 == p.j % 11;
                   }});
  rules.push_back(
      {"GODIVA", "axial", {{"causal", "true"}}, {{"width", 11}}, small, [](const Pair &p, const TableReader &) {
         return isPast(p) && (p.i / 11 == p.j / 11 || p.i % 11 == p.j % 11);
       }});
  rules.push_back({"MoA",
                   "moa",
                   {},
                   {{"sink", 5}},
                   small,
                   [](const Pair &p, const TableReader &table) {
                     return isPast(p) && (p.j < 5 || double(p.i - p.j) < table("spans", {p.head}));
                   },
                   {},
                   {{"spans", {10, 60}}}});
  const Shape video{.batch = 1, .heads = 2, .tokensQ = 4 * 6 * 10, .headDim = 32};
  rules.push_back({"GNA",
                   "gna",
                   {},
                   {{"height", 6},
                    {"width", 10},
                    {"t_window", 3},
                    {"y_window", 3},
                    {"x_window", 5},
                    {"t_stride", 1},
                    {"y_stride", 2},
                    {"x_stride", 2}},
                   video,
                   [](const Pair &p, const TableReader &) {
                     return isNeighbour(p, {3, 3, 5}, {1, 2, 2}, 6, 10);
                   }});
  for (const char *system : {"Fused Neighborhood Attention", "TCSR", "SimpleGVR"})
    rules.push_back({system,
                     "gna",
                     {},
                     {{"height", 6},
                      {"width", 10},
                      {"t_window", 1},
                      {"y_window", 3},
                      {"x_window", 3},
                      {"t_stride", 1},
                      {"y_stride", 1},
                      {"x_stride", 1}},
                     video,
                     [](const Pair &p, const TableReader &) {
                       return isNeighbour(p, {1, 3, 3}, {1, 1, 1}, 6, 10);
                     }});
  rules.push_back({"CLEAR",
                   "clear",
                   {},
                   {{"height", 10}, {"width", 12}, {"radius", 4}},
                   small,
                   [](const Pair &p, const TableReader &) {
                     if (p.i >= 120 || p.j >= 120)
                       return true;
                     return std::hypot(double(p.i / 12 - p.j / 12), double(p.i % 12 - p.j % 12)) < 4;
                   }});
  rules.push_back({"Radial Attention",
                   "radial",
                   {},
                   {{"frame", 24}, {"narrowest", 4}},
                   square,
                   [](const Pair &p, const TableReader &) { return isRadial(p, 24, 4, true); }});
  rules.push_back({"STA",
                   "sta",
                   {{"block_q", "16"}, {"block_k", "16"}},
                   {{"frames", 3}, {"height", 2}, {"width", 3}},
                   square,
                   [](const Pair &p, const TableReader &table) {
                     if (p.i / 16 >= 18 || p.j / 16 >= 18)
                       return true;
                     Place query = placeOf(p.i / 16, 2, 3), key = placeOf(p.j / 16, 2, 3);
                     auto near = [&](int64_t axis, int64_t from, int64_t to, int64_t size) {
                       auto window = static_cast<int64_t>(table("windows", {p.head, axis}));
                       return isWithin(to, clampedStart(from, window, size), window);
                     };
                     return near(0, query.t, key.t, 3) && near(1, query.y, key.y, 2) && near(2, query.x, key.x, 3);
                   },
                   {},
                   {{"windows", {1, 1, 3, 3, 2, 1}}}});
  const std::map<std::string, std::string> blocks16 = {{"block_q", "16"}, {"block_k", "16"}};
  rules.push_back(
      {"PowerAttention", "power", blocks16, {{"sink", 1}, {"band", 2}}, square, [](const Pair &p, const TableReader &) {
         int64_t bi = p.i / 16, bj = p.j / 16;
         return isPast(p) && (bj == 0 || bi - bj < 2 || isPowerOfTwo(bi - bj) || cutsDiagonal(bi, bj, 16));
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
  return rules;
}

} // namespace

const std::vector<PublishedRule> &publishedRules() {
  static const std::vector<PublishedRule> rules = makeRules();
  return rules;
}

reference::Data inputsOf(const PublishedRule &rule, DType dtype) {
  reference::Program program = programOf(specNamed(rule.spec, rule.settings));
  reference::Data data = reference::makeData(program, rule.shape, {.seed = 7, .dtype = dtype});
  for (const auto &[name, values] : rule.tables) {
    const Tensor &table = data[name];
    for (size_t index = 0; index < values.size(); ++index) {
      int64_t columns = table.rank > 1 ? table.shape[1] : 1;
      auto position = static_cast<int64_t>(index);
      table.set(values[index], position / columns, position % columns);
    }
  }
  return data;
}

RuleResult evaluateRule(const PublishedRule &rule, const reference::Data &inputs) {
  const Tensor &q = inputs["q"], &k = inputs["k"], &v = inputs["v"];
  TableReader read = [&](const char *name, std::vector<int64_t> index) {
    index.resize(4, 0);
    return inputs[name].get(index[0], index[1], index[2], index[3]);
  };
  int64_t heads = q.shape[1], group = heads / k.shape[1], d = q.shape[3], dv = v.shape[3];
  RuleResult result;
  for (int64_t b = 0; b < q.shape[0]; ++b)
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t i = 0; i < q.shape[2]; ++i) {
        std::vector<double> sum(static_cast<size_t>(dv), 0.0);
        double total = 0;
        for (int64_t j = 0; j < k.shape[2]; ++j) {
          Pair pair{b, h, i, j, heads, q.shape[2], k.shape[2]};
          if (!rule.allowed(pair, read))
            continue;
          double dot = 0;
          for (int64_t c = 0; c < d; ++c)
            dot += q.get(b, h, i, c) * k.get(b, h / group, j, c);
          double score = dot / std::sqrt(double(d));
          double weight = std::exp(rule.score ? rule.score(score, pair, read) : score);
          total += weight;
          for (int64_t c = 0; c < dv; ++c)
            sum[size_t(c)] += weight * v.get(b, h / group, j, c);
        }
        for (double value : sum)
          result.o.push_back(total > 0 ? value / total : 0);
        result.lse.push_back(std::log(total));
      }
  return result;
}

} // namespace tercet::test
