// attend_means: a query block against the means of its marginal key blocks, as an earlier part of a softmax. Contract: Builtins.h.
#include "BuiltinTable.h"
#include "Dispatch.h"
#include "MeanPairs.h"

namespace tercet::rt {
namespace {

struct AttendMeans {
  [[gnu::always_inline]] static inline void run(const AttendMeansSlots *slots, int64_t i, int64_t gr) {
    MeanHead head(slots->pairs, gr);
    int64_t row = gr * head.s.blocksQ + i, width = head.s.valueDimPadded;
    float *numerators = slots->numerators + row * width, top = noScore;
    double sum = 0;
    std::fill(numerators, numerators + width, 0.0f);
    for (int64_t tile = 0; tile * meansOfTile < head.s.blocksK; ++tile) {
      MeanTile means;
      means.read(head, i, tile);
      if (!means.any)
        continue;
      float higher = top;
      for (int64_t c = 0; c < meansOfTile; ++c) {
        auto score = static_cast<float>(static_cast<double>(means.products[c]) * head.unit + means.weights[c]);
        if (means.members[c])
          higher = std::max(higher, std::isnan(score) ? 0.0f : score);
      }
      if (higher == noScore) // all of these weigh nothing
        continue;
      float x[meansOfTile] = {};
      if (top != noScore && higher > top) {
        x[0] = static_cast<float>((static_cast<double>(top) - static_cast<double>(higher)) * std::numbers::ln2);
        exponentials(x);
        sum *= static_cast<double>(x[0]);
        for (int64_t c = 0; c < width; ++c)
          numerators[c] *= x[0];
      }
      top = higher;
      means.exponents(head, -static_cast<double>(top), x);
      exponentials(x);
      const float *values = head.values(tile);
      for (int64_t c = 0; c < meansOfTile; ++c)
        if (means.members[c]) {
          sum += static_cast<double>(x[c]);
          addProduct(x[c], values + c * width, width, numerators);
        }
    }
    slots->state[2 * row] = top;
    slots->state[2 * row + 1] = static_cast<float>(sum);
  }
};

void run(const BuiltinCall &call) {
  Dispatch<AttendMeans, const AttendMeansSlots *, int64_t, int64_t>::call(
      reinterpret_cast<const AttendMeansSlots *>(call.slots), call.item0, call.item1);
}

} // namespace

const Builtin attendMeansBuiltin = {"attend_means", sizeof(AttendMeansSlots) / 8, 0, run, nullptr, nullptr};

} // namespace tercet::rt
