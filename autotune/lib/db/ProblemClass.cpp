// The rule of buckets and the distance between them. Weights: how many keys a query visits (kept) and how many heads share
// a tile (heads per key head) decide which form of a kernel is bound by what; how much work there is beyond that decides
// how well it fills the device, which a factor of two changes by less.
#include "tercet/autotune/ProblemClass.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace tercet::tune {
namespace {

constexpr int leastKept = -20, quarters = 4;
constexpr double weightOfHeads = 0.5, weightOfTokens = 0.5, weightOfSharing = 1, weightOfKept = 1;
constexpr double oneUnknownKept = 0.5, oneUnknownOverlap = 0.25;

/// The nearest power of 2^(1/steps), as its exponent in steps.
int bucket(double value, int steps) { return static_cast<int>(std::lround(steps * std::log2(value))); }

double octaves(int a, int b, int steps) { return std::abs(a - b) / static_cast<double>(steps); }

double keptDistance(int a, int b) {
  if ((a == keptUnknown) != (b == keptUnknown))
    return oneUnknownKept;
  return weightOfKept * octaves(a, b, 2);
}

double overlapDistance(int a, int b) {
  if ((a < 0) != (b < 0))
    return oneUnknownOverlap;
  return std::abs(a - b) / static_cast<double>(quarters);
}

} // namespace

ProblemClass classOf(const ProblemShape &shape) {
  auto size = [](int64_t value) { return static_cast<double>(std::max<int64_t>(1, value)); };
  ProblemClass result;
  result.batchHeads = bucket(size(shape.batchHeads), 1);
  result.headsPerKeyHead = bucket(size(shape.headsPerKeyHead), 1);
  result.queries = bucket(size(shape.queries), 2);
  result.keys = bucket(size(shape.keys), 2);
  result.kept = shape.kept > 0 ? std::clamp(bucket(std::min(shape.kept, 1.0), 2), leastKept, 0) : leastKept;
  if (shape.overlap)
    result.overlap = static_cast<int>(std::lround(quarters * std::clamp(*shape.overlap, 0.0, 1.0)));
  return result;
}

double distance(const ProblemClass &a, const ProblemClass &b) {
  return weightOfHeads * octaves(a.batchHeads, b.batchHeads, 1) +
         weightOfSharing * octaves(a.headsPerKeyHead, b.headsPerKeyHead, 1) +
         weightOfTokens * (octaves(a.queries, b.queries, 2) + octaves(a.keys, b.keys, 2)) +
         keptDistance(a.kept, b.kept) + overlapDistance(a.overlap, b.overlap);
}

std::string ProblemClass::text() const {
  auto middle = [](int exponent, int steps) { return std::llround(std::exp2(exponent / static_cast<double>(steps))); };
  std::string text = fmt::format("bh {}, {} x {}", middle(batchHeads, 1), middle(queries, 2), middle(keys, 2));
  if (kept != keptUnknown)
    text += fmt::format(", kept {:.3g} %", 100 * std::exp2(kept / 2.0));
  if (headsPerKeyHead > 0)
    text += fmt::format(", {} per key head", middle(headsPerKeyHead, 1));
  if (overlap >= 0)
    text += fmt::format(", overlap {}", overlap / static_cast<double>(quarters));
  return text;
}

} // namespace tercet::tune
