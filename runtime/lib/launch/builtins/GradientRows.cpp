// gradient_rows: what the backward needs of every row of O, dO and LSE. Contract: Builtins.h. A row is summed in eight
// lanes and these in order, the same at every vector width.
#include "BuiltinTable.h"
#include "Dispatch.h"
#include "Elements.h"
#include "GroupHead.h"

#include "tercet/Builtins.h"

#include <limits>
#include <numbers>

namespace tercet::rt {
namespace {

constexpr int64_t chunk = 64;
using std::numbers::log2e;

/// sum = the sum over a row of o and gradient, multiplied element by element.
template <typename Element> struct MultiplyRow {
  [[gnu::always_inline]] static inline void run(const float *o, const typename Element::Type *gradient, int64_t dim,
                                                float *sum) {
    Float8 lanes = {};
    int64_t c = 0;
    for (; c + 8 <= dim; c += 8)
      lanes += loadVector<Float8>(o + c) * Element::load8(gradient + c);
    auto total = sumOfLanes<float>(lanes);
    for (; c < dim; ++c)
      total += o[c] * Element::toFloat(gradient[c]);
    *sum = total;
  }
};

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
    for (int64_t row = first; row < end; ++row) {
      shifts[row] = lowest;
      rests[row] = sums[row] = 0;
      if (row >= live || lse[row * s.lseStrideN] == lowest)
        continue;
      double rest = lseRest ? static_cast<double>(lseRest[row * s.restStrideN]) : 0;
      double shift = -log2e * (static_cast<double>(lse[row * s.lseStrideN]) + rest);
      shifts[row] = static_cast<float>(shift);
      rests[row] = static_cast<float>(shift - static_cast<double>(shifts[row]));
      Dispatch<MultiplyRow<Element>, const float *, const Type *, int64_t, float *>::call(
          o + row * s.oStrideN, gradient + row * s.gradientStrideN, s.valueDim, sums + row);
    }
  });
}

} // namespace

const Builtin gradientRowsBuiltin = {"gradient_rows", sizeof(GradientRowsSlots) / 8, 0, run, nullptr, nullptr};

} // namespace tercet::rt
