// gradient_rows: what the backward needs of every row of O, dO and LSE. Contract: Builtins.h.
#include "BuiltinTable.h"
#include "Elements.h"
#include "GroupHead.h"

#include "tercet/Builtins.h"

#include <algorithm>
#include <limits>
#include <numbers>

namespace tercet::rt {
namespace {

constexpr int64_t chunk = 64;
using std::numbers::log2e;

/// Some rows of a tensor.
template <typename Type> struct Rows {
  const Type *first;
  int64_t stride;
};

/// Sums over rows of O and dO, multiplied element by element: in order and rounded as products sum dP = dO V^T. Where one key has
/// all of P, sum and dP are then the same bits, and dS is 0 as it should be. Several rows hide the latency of their additions; a product
/// of two floats is exact in double.
template <bool fused, typename Element>
void sumRows(Rows<float> o, Rows<typename Element::Type> gradient, const int64_t *tokens, int64_t count, int64_t dim,
             float *sums) {
  constexpr int64_t together = 8;
  for (int64_t row = 0; row < count; row += together) {
    float total[together] = {};
    int64_t last = std::min(together, count - row) - 1;
    for (int64_t c = 0; c < dim; ++c)
      for (int64_t i = 0; i < together; ++i) {
        int64_t token = tokens[row + std::min(i, last)];
        float a = o.first[token * o.stride + c], b = Element::toFloat(gradient.first[token * gradient.stride + c]);
        if constexpr (fused)
          total[i] =
              static_cast<float>(static_cast<double>(a) * static_cast<double>(b) + static_cast<double>(total[i]));
        else
          total[i] += a * b;
      }
    for (int64_t i = 0; i <= last; ++i)
      sums[row + i] = total[i];
  }
}

void run(const BuiltinCall &call) {
  const auto &s = *reinterpret_cast<const GradientRowsSlots *>(call.slots);
  GroupHead head = groupHead(call.item1, s.firstPair, s.headsKV, s.headsPerKV);
  int64_t live = liveTokens(s.qLengths, head.batch, s.tokens);
  int64_t first = call.item0 * chunk, end = std::min(first + chunk, s.rows);
  float *shifts = s.shifts + call.item1 * s.rows, *rests = s.rests + call.item1 * s.rows,
        *sums = s.sums + call.item1 * s.rows;
  const float *o = s.o + head.batch * s.oStrideB + head.queryHead * s.oStrideH;
  const float *lse = s.lse + head.batch * s.lseStrideB + head.queryHead * s.lseStrideH;
  const float *lseRest = s.lseRest ? s.lseRest + head.batch * s.restStrideB + head.queryHead * s.restStrideH : nullptr;
  constexpr float lowest = -std::numeric_limits<float>::infinity();
  withElement(static_cast<DType>(s.dtype), [&](auto element) {
    using Element = decltype(element);
    using Type = typename Element::Type;
    const auto *gradient =
        static_cast<const Type *>(s.gradient) + head.batch * s.gradientStrideB + head.queryHead * s.gradientStrideH;
    int64_t tokens[chunk], places[chunk], count = 0;
    float ofTokens[chunk];
    for (int64_t row = first; row < end; ++row) {
      shifts[row] = lowest;
      rests[row] = sums[row] = 0;
      int64_t token = row >= live ? -1 : s.order ? s.order[row] : row;
      if (token < 0 || lse[token * s.lseStrideN] == lowest)
        continue;
      tokens[count] = token;
      places[count++] = row;
    }
    auto sum = s.fused != 0 ? sumRows<true, Element> : sumRows<false, Element>;
    sum({o, s.oStrideN}, {gradient, s.gradientStrideN}, tokens, count, s.valueDim, ofTokens);
    for (int64_t i = 0; i < count; ++i) {
      int64_t row = places[i], token = tokens[i];
      double rest = lseRest ? static_cast<double>(lseRest[token * s.restStrideN]) : 0;
      double shift = -log2e * (static_cast<double>(lse[token * s.lseStrideN]) + rest);
      shifts[row] = static_cast<float>(shift);
      rests[row] = static_cast<float>(shift - static_cast<double>(shifts[row]));
      sums[row] = ofTokens[i];
    }
  });
}

} // namespace

const Builtin gradientRowsBuiltin = {"gradient_rows", sizeof(GradientRowsSlots) / 8, 0, run, nullptr, nullptr};

} // namespace tercet::rt
