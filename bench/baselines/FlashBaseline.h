// FlashBaseline: dense attention as CPU frameworks run it today, on a vendor matrix product. Query tiles of 256 rows,
// key tiles of 512, online softmax between two sgemm calls, tiles handed to threads by an atomic counter.
//
// It is the yardstick for Tercet's dense kernel, so it is written to be fast: the scale is folded into the product, the
// softmax is two vector passes in base 2, and nothing is allocated while it runs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tercet::bench {

/// C [m, n] = alpha A [m, k] B + beta C, row major with row strides; B is [k, n], or [n, k] when `transposed`.
/// Runs on the calling thread alone.
using Sgemm = void (*)(bool transposed, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t aStride,
                       const float *b, int64_t bStride, float beta, float *c, int64_t cStride);

/// A library with an sgemm. name tells the version and the kernels it chose on this processor.
struct GemmLibrary {
  std::string name;
  Sgemm sgemm = nullptr;
};

/// The libraries this build found, best known first; may be empty.
std::vector<GemmLibrary> gemmLibraries();

/// q, k, v, o: [heads, tokens, headDim] f32, contiguous, 64-byte aligned; headDim a multiple of 16; o is written.
struct DenseProblem {
  int64_t heads = 0, tokens = 0, headDim = 0;
  const float *q = nullptr, *k = nullptr, *v = nullptr;
  float *o = nullptr;
};

/// Scratch for a number of threads. `run` may be called again and again, from one thread at a time.
class FlashBaseline {
public:
  FlashBaseline(GemmLibrary library, int threads, int64_t headDim);
  ~FlashBaseline();
  void run(const DenseProblem &problem);

private:
  struct Scratch;
  void tile(const DenseProblem &problem, int64_t head, int64_t firstQuery, Scratch &scratch) const;

  GemmLibrary library;
  std::vector<std::unique_ptr<Scratch>> scratch;
};

/// The softmax between the two products, over `rows` rows of scores in units of log2, `keys` of them valid, `stride`
/// apart: scores become 2^(s - m), m and l (per row) and o [rows, headDim] are brought up to date; first: m, l and o
/// hold nothing yet. Columns [keys, stride) up to a multiple of 64 are overwritten; stride is one.
using SoftmaxStep = void (*)(float *scores, int64_t rows, int64_t keys, int64_t stride, float *m, float *l, float *o,
                             int64_t headDim, bool first);
void softmaxStep512(float *, int64_t, int64_t, int64_t, float *, float *, float *, int64_t, bool);
void softmaxStep256(float *, int64_t, int64_t, int64_t, float *, float *, float *, int64_t, bool);

} // namespace tercet::bench
