#include "tercet/autotune/HeadErrors.h"

#include "tercet/Status.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tercet::tune {
namespace {

double ratio(double squaredDifference, double squaredExact) {
  if (!std::isfinite(squaredDifference) || (squaredExact == 0 && squaredDifference > 0))
    return std::numeric_limits<double>::infinity();
  return squaredDifference == 0 ? 0 : std::sqrt(squaredDifference / squaredExact);
}

} // namespace

double HeadErrors::worst() const { return perHead.empty() ? 0 : *std::max_element(perHead.begin(), perHead.end()); }

HeadErrors headErrors(const Tensor &o, const Tensor &exact) {
  TERCET_CHECK(o.dtype == DType::f32 && exact.dtype == DType::f32 && o.shape == exact.shape, "two outputs of one call");
  const int64_t batch = o.shape[0], heads = o.shape[1], size = o.shape[2] * o.shape[3];
  const float *left = static_cast<const float *>(o.data), *right = static_cast<const float *>(exact.data);
  HeadErrors errors;
  double allDifference = 0, allExact = 0;
  for (int64_t head = 0; head < heads; ++head) {
    double difference = 0, norm = 0;
    for (int64_t entry = 0; entry < batch; ++entry) {
      const int64_t first = (entry * heads + head) * size;
      for (int64_t at = first; at < first + size; ++at) {
        double apart = double(left[at]) - right[at];
        difference += apart * apart;
        norm += double(right[at]) * right[at];
      }
    }
    errors.perHead.push_back(ratio(difference, norm));
    allDifference += difference;
    allExact += norm;
  }
  errors.overall = ratio(allDifference, allExact);
  return errors;
}

} // namespace tercet::tune
