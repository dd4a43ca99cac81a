// Rules on grids of tokens: images and video, frames outermost, rows, columns.
#include "PublishedRules.h"

#include <algorithm>
#include <cmath>

namespace tercet::test {
namespace {

using reference::Shape;

struct Place {
  int64_t t, y, x;
};
Place placeOf(int64_t token, int64_t height, int64_t width) {
  return {token / (height * width), token / width % height, token % width};
}

bool isWithin(int64_t value, int64_t first, int64_t count) { return value >= first && value < first + count; }

/// First entry of a window of `width` entries around `leader`, kept inside 0 .. size - 1.
int64_t clampedStart(int64_t leader, int64_t width, int64_t size) {
  return std::max<int64_t>(0, std::min(leader - width / 2, size - width));
}

/// One axis of generalised neighbourhood attention.
struct Neighbourhood {
  int64_t window, stride = 1, dilation = 1;
  bool causal = false;

  bool sees(int64_t query, int64_t key, int64_t size) const {
    if (query % dilation != key % dilation)
      return false;
    std::vector<int64_t> places; // the entries of the axis that the dilation leaves to this query
    for (int64_t entry = query % dilation; entry < size; entry += dilation)
      places.push_back(entry);
    auto count = static_cast<int64_t>(places.size());
    int64_t mine = query / dilation, theirs = key / dilation, group = mine - mine % stride;
    if (causal) {
      int64_t last = std::min(group + stride, count) - 1;
      return theirs <= mine && theirs > last - window;
    }
    int64_t leader = std::min(group + stride / 2, count - 1);
    return isWithin(theirs, clampedStart(leader, window, count), window);
  }
};

/// A rule of gna.mlir on a grid of 4 x 6 x 10 tokens.
PublishedRule neighbours(const char *system, Neighbourhood t, Neighbourhood y, Neighbourhood x) {
  PublishedRule rule{.system = system,
                     .spec = "gna",
                     .settings = {},
                     .parameters = {{"height", 6}, {"width", 10}},
                     .shape = {.batch = 1, .heads = 2, .tokensQ = 240, .headDim = 32},
                     .allowed = [=](const Pair &p, const TableReader &) {
                       Place query = placeOf(p.i, 6, 10), key = placeOf(p.j, 6, 10);
                       return t.sees(query.t, key.t, 4) && y.sees(query.y, key.y, 6) && x.sees(query.x, key.x, 10);
                     }};
  for (const auto &[name, axis] : {std::pair{"t", t}, {"y", y}, {"x", x}}) {
    std::string prefix = std::string(name) + "_";
    rule.parameters.emplace_back(prefix + "window", axis.window);
    rule.parameters.emplace_back(prefix + "stride", axis.stride);
    rule.parameters.emplace_back(prefix + "dilation", axis.dilation);
    rule.settings[prefix + "causal"] = axis.causal ? "true" : "false";
  }
  return rule;
}

void addNeighbourhoods(std::vector<PublishedRule> &rules) {
  rules.push_back(neighbours("GNA", {3}, {3, 2}, {5, 2}));
  rules.push_back(neighbours("GNA", {2, 1, 1, true}, {4, 3}, {6, 5}));
  rules.push_back(neighbours("GNA", {3, 2, 1, true}, {3, 2, 1, true}, {4, 4}));
  rules.push_back(neighbours("Fused Neighborhood Attention", {1}, {3}, {5}));
  rules.push_back(neighbours("Fused Neighborhood Attention", {3}, {3, 1, 2}, {3, 1, 3}));
  rules.push_back(neighbours("TCSR", {1}, {3}, {3}));
  rules.push_back(neighbours("SimpleGVR (local windows)", {3}, {3}, {3}));
  const Shape image{.batch = 1, .heads = 2, .tokensQ = 12 * 14, .headDim = 32};
  rules.push_back({"HaloNet",
                   "halo",
                   {},
                   {{"width", 14}, {"block", 4}, {"halo", 2}},
                   image,
                   [](const Pair &p, const TableReader &) {
                     Place query = placeOf(p.i, 12, 14), key = placeOf(p.j, 12, 14);
                     return isWithin(key.y, query.y / 4 * 4 - 2, 8) && isWithin(key.x, query.x / 4 * 4 - 2, 8);
                   }});
  const Shape withText{.batch = 2, .heads = 2, .headsKV = 1, .tokensQ = 150, .headDim = 32};
  rules.push_back({"CLEAR",
                   "clear",
                   {},
                   {{"height", 10}, {"width", 12}, {"radius", 4}},
                   withText,
                   [](const Pair &p, const TableReader &) {
                     if (p.i >= 120 || p.j >= 120)
                       return true;
                     return std::hypot(double(p.i / 12 - p.j / 12), double(p.i % 12 - p.j % 12)) < 4;
                   }});
}

void addAxes(std::vector<PublishedRule> &rules) {
  const Shape shape{.batch = 2, .heads = 2, .headsKV = 1, .tokensQ = 150, .headDim = 32};
  rules.push_back(
      {"Axial attention", "axial", {}, {{"height", 20}, {"width", 11}}, shape, [](const Pair &p, const TableReader &) {
         return p.i / 11 == p.j / 11 || p.i % 11 == p.j % 11;
       }});
  // GODIVA on 5 frames of 5 x 6: one axis per layer, up to the query's own position.
  for (int axis = 0; axis < 3; ++axis)
    rules.push_back({"GODIVA",
                     "axial",
                     {{"causal", "true"},
                      {"along_t", axis == 0 ? "true" : "false"},
                      {"along_y", axis == 1 ? "true" : "false"},
                      {"along_x", axis == 2 ? "true" : "false"}},
                     {{"height", 5}, {"width", 6}},
                     shape,
                     [=](const Pair &p, const TableReader &) {
                       Place query = placeOf(p.i, 5, 6), key = placeOf(p.j, 5, 6);
                       bool same[] = {query.t == key.t, query.y == key.y, query.x == key.x};
                       return p.j <= p.i && same[(axis + 1) % 3] && same[(axis + 2) % 3];
                     }});
  // Group Pose: 8 instances of 18 tokens (17 joints and the instance), first within an instance, then across by type.
  const Shape pose{.batch = 1, .heads = 2, .tokensQ = 8 * 18, .headDim = 32};
  for (bool within : {true, false})
    rules.push_back(
        {"Group Pose",
         "axial",
         {{"along_x", within ? "true" : "false"}, {"along_y", within ? "false" : "true"}},
         {{"height", 8}, {"width", 18}},
         pose,
         [=](const Pair &p, const TableReader &) { return within ? p.i / 18 == p.j / 18 : p.i % 18 == p.j % 18; }});
}

/// Radial attention, section 4.2, with the bands of the public code: the width of the band is that of a frame over the
/// largest power of two up to the distance in time; where that is less than `narrowest`, one in so many distances.
bool isRadial(const Pair &p, double frame, double narrowest) {
  auto size = static_cast<int64_t>(frame);
  int64_t apart = std::abs(p.i / size - p.j / size), offset = std::abs(p.i % size - p.j % size);
  double octave = std::exp2(std::floor(std::log2(std::max<double>(double(apart), 1))));
  if (frame / octave >= narrowest)
    return double(offset + 1) <= frame / octave;
  auto split = static_cast<int64_t>(std::ceil(narrowest * octave / frame));
  return double(offset) < narrowest && apart % split == 0;
}

void addVideo(std::vector<PublishedRule> &rules) {
  const Shape shape{.batch = 1, .heads = 2, .tokensQ = 300, .headDim = 32};
  for (double narrowest : {1.0, 4.0})
    rules.push_back({"Radial Attention",
                     "radial",
                     {{"sink", narrowest == 1 ? "false" : "true"}},
                     {{"frame", 12}, {"narrowest", narrowest}, {"video", narrowest == 1 ? 300 : 288}},
                     shape,
                     [=](const Pair &p, const TableReader &) {
                       bool special = narrowest != 1 && (p.j < 12 || p.i >= 288 || p.j >= 288); // sink and text
                       return special || isRadial(p, 12, narrowest);
                     }});
  const int64_t windows[2][3] = {{1, 1, 3}, {3, 1, 1}};
  // 5 x 4 x 11 tokens in tiles of 2 x 2 x 4: 3 x 2 x 3 tiles, of which the last ones are clipped; then 30 tokens of text.
  const Shape tiles{.batch = 1, .heads = 2, .tokensQ = 5 * 4 * 11 + 30, .headDim = 32};
  rules.push_back({"STA",
                   "sta",
                   {{"block_q", "16"}, {"block_k", "16"}, {"tile_t", "2"}, {"tile_y", "2"}, {"tile_x", "4"}},
                   {{"frames", 5}, {"height", 4}, {"width", 11}},
                   tiles,
                   [=](const Pair &p, const TableReader &) {
                     if (p.i >= 220 || p.j >= 220)
                       return true; // text
                     Place query = placeOf(p.i, 4, 11), key = placeOf(p.j, 4, 11);
                     // the public code: the centre is kept half a window away from the edges
                     auto near = [](int64_t mine, int64_t theirs, int64_t window, int64_t size) {
                       return std::abs(std::clamp(mine, window / 2, size - 1 - window / 2) - theirs) <= window / 2;
                     };
                     const int64_t *window = windows[p.head];
                     return near(query.t / 2, key.t / 2, window[0], 3) && near(query.y / 2, key.y / 2, window[1], 2) &&
                            near(query.x / 4, key.x / 4, window[2], 3);
                   },
                   {},
                   {{"windows", [=](auto at) { return double(windows[at[0]][at[1]]); }}}});
  // Kinds of heads of Sparse-vDiT; frames of 5 blocks.
  const Shape heads{.batch = 1, .heads = 5, .tokensQ = 300, .headDim = 16};
  const int64_t patterns[5][3] = {{0, 0, 0}, {1, 2, 0}, {2, 2, 5}, {3, 2, 5}, {4, 0, 0}};
  rules.push_back({"Sparse-vDiT",
                   "head_patterns",
                   {{"block_q", "16"}, {"block_k", "16"}},
                   {},
                   heads,
                   [](const Pair &p, const TableReader &) {
                     int64_t apart = std::abs(p.i / 16 - p.j / 16);
                     const bool sees[] = {true, apart <= 1, apart % 5 <= 1 || apart % 5 == 4, p.j / 16 % 5 < 2, false};
                     return sees[p.head];
                   },
                   {},
                   {{"patterns", [=](auto at) { return double(patterns[at[0]][at[1]]); }}}});
}

} // namespace

std::vector<PublishedRule> gridRules() {
  std::vector<PublishedRule> rules;
  addNeighbourhoods(rules);
  addAxes(rules);
  addVideo(rules);
  return rules;
}

} // namespace tercet::test
