// Rules between segments of tokens: scenes, shots, frames, modalities, windows. The spec gets a segment per token and a table of
// which segments see which; the rule is stated by positions, apart from the table.
#include "PublishedRules.h"

#include <cmath>

namespace tercet::test {
namespace {

using reference::Shape;
using SegmentOf = int64_t (*)(int64_t token);
/// 0 nothing, 1 everything, 2 the past.
using Sees = int64_t (*)(int64_t head, int64_t mine, int64_t theirs);
using Allowed = bool (*)(const Pair &);

const Shape square{.batch = 1, .heads = 2, .tokensQ = 144, .headDim = 32};
const Shape cross{.batch = 2, .heads = 2, .tokensQ = 70, .tokensK = 170, .headDim = 32};

PublishedRule segments(const char *system, const Shape &shape, SegmentOf query, SegmentOf key, Sees sees,
                       Allowed allowed) {
  return {.system = system,
          .spec = "segments",
          .settings = {},
          .parameters = {},
          .shape = shape,
          .allowed = [=](const Pair &p, const TableReader &) { return allowed(p); },
          .tables = {{"query_segment", [=](auto at) { return double(query(at[1])); }},
                     {"key_segment", [=](auto at) { return double(key(at[1])); }},
                     {"sees", [=](auto at) { return double(sees(at[0], at[1], at[2])); }}}};
}
PublishedRule segments(const char *system, SegmentOf of, Sees sees, Allowed allowed) {
  return segments(system, square, of, of, sees, allowed);
}

void addVideo(std::vector<PublishedRule> &rules) {
  // Three texts of 8 tokens, then their scenes of 40: a text meets its scene, scenes meet each other.
  rules.push_back(segments(
      "Mask2DiT", [](int64_t i) { return i < 24 ? i / 8 : 3 + (i - 24) / 40; },
      [](int64_t, int64_t a, int64_t b) -> int64_t { return (a >= 3 && b >= 3) || a % 3 == b % 3; },
      [](const Pair &p) {
        if (p.i >= 24 && p.j >= 24)
          return true;
        auto scene = [](int64_t token) { return token < 24 ? token / 8 : (token - 24) / 40; };
        return scene(p.i) == scene(p.j);
      }));
  rules.push_back(segments(
      "Long Context Tuning (causal shots)", [](int64_t i) { return i / 37; },
      [](int64_t, int64_t a, int64_t b) -> int64_t { return b <= a; },
      [](const Pair &p) { return p.j / 37 <= p.i / 37; }));
  // Frames of 12 tokens, of 3 views at 4 times.
  rules.push_back(segments(
      "4Real-Video-V2", [](int64_t i) { return i / 12; },
      [](int64_t, int64_t a, int64_t b) -> int64_t { return a / 4 == b / 4 || a % 4 == b % 4; },
      [](const Pair &p) { return p.i / 48 == p.j / 48 || p.i % 48 / 12 == p.j % 48 / 12; }));
  // Every frame sees itself and the reference frames 0, 5 and 10.
  rules.push_back(segments(
      "Efficient-vDiT", [](int64_t i) { return i / 12; },
      [](int64_t, int64_t a, int64_t b) -> int64_t { return a == b || b % 5 == 0; },
      [](const Pair &p) { return p.i / 12 == p.j / 12 || p.j % 60 < 12; }));
  rules.push_back(segments(
      "ConditionVideo", [](int64_t i) { return i / 12; },
      [](int64_t, int64_t, int64_t b) -> int64_t { return b % 3 == 0; }, [](const Pair &p) { return p.j % 36 < 12; }));
  // 4 x 4 blocks of 9 tokens: a block sees itself and its left, upper and upper left neighbours.
  rules.push_back(segments(
      "Inf-DiT", [](int64_t i) { return i / 9; },
      [](int64_t, int64_t a, int64_t b) -> int64_t {
        return b == a || (b == a - 1 && a % 4 > 0) || b == a - 4 || (b == a - 5 && a % 4 > 0);
      },
      [](const Pair &p) {
        int64_t down = p.i / 36 - p.j / 36, right = p.i % 36 / 9 - p.j % 36 / 9;
        return (down == 0 || down == 1) && (right == 0 || right == 1);
      }));
}

void addImages(std::vector<PublishedRule> &rules) {
  // 24 guidance tokens of low resolution, which all see; windows of 40 tokens.
  rules.push_back(segments(
      "Scale-DiT", [](int64_t i) { return i < 24 ? 0 : 1 + (i - 24) / 40; },
      [](int64_t, int64_t a, int64_t b) -> int64_t { return b == 0 || a == b; },
      [](const Pair &p) { return p.j < 24 || (p.i >= 24 && (p.i - 24) / 40 == (p.j - 24) / 40); }));
  // 12 x 12 tokens in regions of 4 x 6.
  rules.push_back(segments(
      "E-MMDiT", [](int64_t i) { return i / 48 * 2 + i % 12 / 6; },
      [](int64_t, int64_t a, int64_t b) -> int64_t { return a == b; },
      [](const Pair &p) { return p.i / 48 == p.j / 48 && p.i % 12 / 6 == p.j % 12 / 6; }));
  // Windows of 16 tokens, every third of them background, which is not computed.
  rules.push_back(segments(
      "Dome-DETR", [](int64_t i) { return i / 16; },
      [](int64_t, int64_t a, int64_t b) -> int64_t { return a == b && a % 3 != 0; },
      [](const Pair &p) { return p.i / 16 == p.j / 16 && p.i % 48 >= 16; }));
  // Queries are masked patches; a quarter of the keys is visible.
  rules.push_back(segments(
      "CrossMAE", cross, [](int64_t) -> int64_t { return 0; }, [](int64_t j) -> int64_t { return j % 4 == 0; },
      [](int64_t, int64_t, int64_t b) -> int64_t { return b; }, [](const Pair &p) { return p.j % 4 == 0; }));
  // Foreground sees the source's foreground, background its background.
  rules.push_back(segments(
      "MasaCtrl", cross, [](int64_t i) { return i / 7 % 2; }, [](int64_t j) { return j / 11 % 2; },
      [](int64_t, int64_t a, int64_t b) -> int64_t { return a == b; },
      [](const Pair &p) { return (p.i / 7 + p.j / 11) % 2 == 0; }));
}

void addModalities(std::vector<PublishedRule> &rules) {
  // Tokens 20 .. 99 are visual.
  for (const char *system : {"SAISA", "EE-MLLM"})
    rules.push_back(segments(
        system, [](int64_t i) -> int64_t { return i >= 20 && i < 100; },
        [](int64_t, int64_t a, int64_t b) -> int64_t { return a + b == 2 ? 0 : 2; },
        [](const Pair &p) {
          bool bothVisual = p.i >= 20 && p.i < 100 && p.j >= 20 && p.j < 100;
          return p.j <= p.i && !bothVisual;
        }));
  // 54 tokens of the image, then labels of 15 tokens, apart from each other.
  rules.push_back(segments(
      "Object Recognition as Next Token Prediction", [](int64_t i) { return i < 54 ? 0 : 1 + (i - 54) / 15; },
      [](int64_t, int64_t a, int64_t b) -> int64_t { return b == 0   ? 1
                                                            : a == b ? 2
                                                                     : 0; },
      [](const Pair &p) { return p.j < 54 || (p.j <= p.i && (p.i - 54) / 15 == (p.j - 54) / 15); }));
  // Heads: dense, sinks, inside images, both. Three images of 40 tokens behind 10 of text; an image begins with 4 sinks.
  const Shape heads{.batch = 1, .heads = 4, .tokensQ = 150, .headDim = 16};
  SegmentOf part = [](int64_t i) -> int64_t {
    if (i < 10 || i >= 130)
      return 0;
    return 1 + (i - 10) / 40 * 2 + ((i - 10) % 40 >= 4);
  };
  rules.push_back(segments(
      "BlindSight", heads, part, part,
      [](int64_t head, int64_t a, int64_t b) -> int64_t {
        bool inside = (a - 1) / 2 == (b - 1) / 2, sink = b % 2 == 1;
        return a == 0 || b == 0 || head == 0 || (inside && head >= 2) || (sink && head % 2 == 1) ? 2 : 0;
      },
      [](const Pair &p) {
        auto isText = [](int64_t token) { return token < 10 || token >= 130; };
        if (p.j > p.i)
          return false;
        if (isText(p.i) || isText(p.j) || p.head == 0)
          return true;
        bool inside = (p.i - 10) / 40 == (p.j - 10) / 40, sink = (p.j - 10) % 40 < 4;
        return p.head == 1 ? sink : p.head == 2 ? inside : inside || sink;
      }));
}

/// Systems whose mask comes from outside of attention: geometry, segmentation, thresholds of earlier maps.
void addGivenMasks(std::vector<PublishedRule> &rules) {
  for (const char *system : {"SPAD", "DAM", "Onion-Peel", "Inherently Faithful Attention Maps", "DiTCtrl", "DiffUHaul",
                             "Through-The-Mask", "PrimeComposer", "SDMatte", "Ouroboros-Diffusion"})
    rules.push_back(
        {.system = std::string(system) + " (given mask)",
         .spec = "given_mask",
         .settings = {},
         .parameters = {},
         .shape = cross,
         .allowed = [](const Pair &p,
                       const TableReader &) { return (p.i * 31 + p.j * 17 + p.head * 5 + p.batch) % 7 < 3; },
         .tables = {{"mask", [](auto at) { return (at[2] * 31 + at[3] * 17 + at[1] * 5 + at[0]) % 7 < 3; }}}});
}

} // namespace

std::vector<PublishedRule> segmentRules() {
  std::vector<PublishedRule> rules;
  addVideo(rules);
  addImages(rules);
  addModalities(rules);
  addGivenMasks(rules);
  return rules;
}

} // namespace tercet::test
