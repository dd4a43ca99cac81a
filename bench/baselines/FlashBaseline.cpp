// Tiles of 256 queries x 512 keys: a score tile is 512 KiB, which the second product reads back from L2. Denormals are
// flushed while a worker runs, as the vendor libraries' own kernels expect and as Tercet does.
#include "FlashBaseline.h"

#include "tercet/Cpu.h"
#include "tercet/rt/Cores.h"

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tercet::bench {
namespace {

constexpr int64_t queryTile = 256, keyTile = 512;

struct Free {
  void operator()(float *p) const { std::free(p); }
};
using AlignedFloats = std::unique_ptr<float[], Free>;

AlignedFloats alignedFloats(int64_t count) {
  size_t bytes = (static_cast<size_t>(count) * sizeof(float) + 4095) / 4096 * 4096;
  auto *p = static_cast<float *>(std::aligned_alloc(4096, bytes));
  if (!p)
    throw std::bad_alloc();
  return AlignedFloats(p);
}

/// Flush-to-zero and denormals-are-zero for one scope.
class FlushDenormals {
#if defined(__x86_64__)
public:
  FlushDenormals() : saved(_mm_getcsr()) { _mm_setcsr(saved | 0x8040); }
  ~FlushDenormals() { _mm_setcsr(saved); }

private:
  unsigned saved;
#endif
};

} // namespace

struct FlashBaseline::Scratch {
  AlignedFloats scores, o, m, l;
};

FlashBaseline::FlashBaseline(GemmLibrary library, int threads, int64_t headDim) : library(std::move(library)) {
  for (int i = 0; i < threads; ++i)
    scratch.push_back(
        std::make_unique<Scratch>(Scratch{alignedFloats(queryTile * keyTile), alignedFloats(queryTile * headDim),
                                          alignedFloats(queryTile), alignedFloats(queryTile)}));
}

FlashBaseline::~FlashBaseline() = default;

void FlashBaseline::tile(const DenseProblem &problem, int64_t head, int64_t firstQuery, Scratch &scratch) const {
  static const SoftmaxStep softmax = detectCpuLevel() == CpuLevel::v4 ? softmaxStep512 : softmaxStep256;
  int64_t d = problem.headDim, base = head * problem.tokens * d;
  int64_t rows = std::min(queryTile, problem.tokens - firstQuery);
  const float *q = problem.q + base + firstQuery * d;
  float toLog2 = static_cast<float>(1.4426950408889634 / std::sqrt(static_cast<double>(d)));
  for (int64_t key = 0; key < problem.tokens; key += keyTile) {
    int64_t keys = std::min(keyTile, problem.tokens - key);
    library.sgemm(true, rows, keys, d, toLog2, q, d, problem.k + base + key * d, d, 0, scratch.scores.get(), keyTile);
    softmax(scratch.scores.get(), rows, keys, keyTile, scratch.m.get(), scratch.l.get(), scratch.o.get(), d, key == 0);
    library.sgemm(false, rows, d, keys, 1, scratch.scores.get(), keyTile, problem.v + base + key * d, d,
                  key == 0 ? 0.0f : 1.0f, scratch.o.get(), d);
  }
  float *o = problem.o + base + firstQuery * d;
  for (int64_t row = 0; row < rows; ++row) {
    float factor = 1 / scratch.l[static_cast<size_t>(row)];
    for (int64_t c = 0; c < d; ++c)
      o[row * d + c] = scratch.o[static_cast<size_t>(row * d + c)] * factor;
  }
}

void FlashBaseline::run(const DenseProblem &problem) {
  if (detectCpuLevel() == CpuLevel::portable)
    throw std::runtime_error("the baseline needs AVX2 or AVX-512");
  int64_t tiles = (problem.tokens + queryTile - 1) / queryTile;
  std::atomic<int64_t> next = 0;
  rt::runOnCores(scratch.size(), [&](size_t thread) {
    FlushDenormals flush;
    for (int64_t item; (item = next++) < problem.heads * tiles;)
      tile(problem, item / tiles, item % tiles * queryTile, *scratch[thread]);
  });
}

} // namespace tercet::bench
