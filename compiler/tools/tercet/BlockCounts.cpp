#include "BlockCounts.h"

#include <algorithm>

namespace tercet::cli {
namespace {

/// Blocks of `size` tokens that hold one, given per-batch lengths.
int64_t liveBlocks(const Tensor *lengths, int64_t batch, int64_t size, int64_t all) {
  if (!lengths)
    return all;
  int64_t tokens = std::max<int64_t>(0, static_cast<int64_t>(lengths->get(batch)));
  return std::min(all, (tokens + size - 1) / size);
}

} // namespace

void countBlocks(const Tensor &classes, const Arguments &inputs, int64_t blockQ, int64_t blockK, LaunchReport &report) {
  const Tensor *qLengths = inputs.find("q_len"), *kLengths = inputs.find("k_len");
  auto [batches, heads, blocksQ, blocksK] = classes.shape;
  for (int64_t b = 0; b < batches; ++b) {
    int64_t rows = liveBlocks(qLengths, b, blockQ, blocksQ);
    int64_t columns = liveBlocks(kLengths, b, blockK, blocksK);
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t i = 0; i < rows; ++i) {
        const auto *row = static_cast<const int8_t *>(classes.data) + b * classes.strides[0] + h * classes.strides[1] +
                          i * classes.strides[2];
        for (int64_t j = 0; j < columns; ++j)
          (row[j] > 0 ? report.criticalBlocks : row[j] == 0 ? report.marginalBlocks : report.negligibleBlocks) += 1;
      }
  }
}

} // namespace tercet::cli
