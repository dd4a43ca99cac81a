// Sums of listed rows: what the aggregation of linear states does per query block. A slice of h, `width` floats of
// every key block, is laid out [block][width]; one query block adds the rows its list names.
#include "Micro.h"
#include "tercet/LoopHints.h"

#include <immintrin.h>

#include <algorithm>
#include <numeric>
#include <random>

namespace tercet::bench {
namespace {

/// ahead > 0: the rows that many list entries ahead are fetched into L1.
template <int Vectors, int ahead>
__attribute__((noinline)) void sumRows(const float *slice, const int32_t *list, int64_t count, int64_t pitch,
                                       float *out) {
  constexpr int parts = Vectors >= 8 ? 1 : 8 / Vectors; // independent sums where a row has few vectors
  __m512 acc[parts][Vectors];
  for (auto &part : acc)
    for (__m512 &sum : part)
      sum = _mm512_setzero_ps();
  int64_t i = 0;
  for (; i + parts <= count; i += parts) {
    TERCET_UNROLL(8)
    for (int part = 0; part < parts; ++part) {
      const float *row = slice + list[i + part] * pitch;
      if constexpr (ahead > 0) {
        const float *next = slice + list[i + part + ahead] * pitch;
        TERCET_UNROLL(32)
        for (int v = 0; v < Vectors; ++v)
          _mm_prefetch(next + 16 * v, _MM_HINT_T0);
      }
      TERCET_UNROLL(32)
      for (int v = 0; v < Vectors; ++v)
        acc[part][v] = _mm512_add_ps(acc[part][v], _mm512_load_ps(row + 16 * v));
    }
  }
  for (; i < count; ++i) {
    TERCET_UNROLL(32)
    for (int v = 0; v < Vectors; ++v)
      acc[0][v] = _mm512_add_ps(acc[0][v], _mm512_load_ps(slice + list[i] * pitch + 16 * v));
  }
  TERCET_UNROLL(8)
  for (int part = 1; part < parts; ++part) {
    TERCET_UNROLL(32)
    for (int v = 0; v < Vectors; ++v)
      acc[0][v] = _mm512_add_ps(acc[0][v], acc[part][v]);
  }
  TERCET_UNROLL(32)
  for (int v = 0; v < Vectors; ++v)
    _mm512_store_ps(out + 16 * v, acc[0][v]);
}

/// blocks key blocks, 512 query blocks with `listed` of them each, ascending.
template <int Vectors, int ahead = 0>
void timeSums(Findings &findings, int64_t blocks, int64_t listed, int64_t padding) {
  constexpr int64_t width = Vectors * 16, queries = 512;
  int64_t pitch = width + padding;
  Floats slice(static_cast<size_t>(blocks * pitch)), out(width);
  std::vector<int32_t> lists, all(static_cast<size_t>(blocks));
  std::mt19937 generator(1);
  std::iota(all.begin(), all.end(), 0);
  for (int64_t i = 0; i < queries; ++i) {
    std::shuffle(all.begin(), all.end(), generator);
    std::sort(all.begin(), all.begin() + listed);
    lists.insert(lists.end(), all.begin(), all.begin() + listed);
  }
  lists.resize(lists.size() + 64, 0); // what the last row fetches ahead
  std::string name = std::to_string(listed) + " of " + std::to_string(blocks) + " rows x " + std::to_string(width) +
                     " floats" + (padding ? ", pitch +" + std::to_string(padding) : "") +
                     (ahead ? ", fetched " + std::to_string(ahead) + " ahead" : "");
  findings.slots("aggregate", name + ", per vector added", static_cast<double>(queries * listed * Vectors), 16, [&] {
    for (int64_t i = 0; i < queries; ++i)
      sumRows<Vectors, ahead>(slice.data(), lists.data() + i * listed, listed, pitch, out.data());
  });
}

} // namespace

void aggregation512(Findings &findings) {
  for (int64_t listed : {76, 384}) {
    timeSums<1>(findings, 512, listed, 0);
    timeSums<2>(findings, 512, listed, 0);
    timeSums<4>(findings, 512, listed, 0);
    timeSums<8>(findings, 512, listed, 0);
    timeSums<16>(findings, 512, listed, 0);
    timeSums<24>(findings, 512, listed, 0);
    timeSums<4, 8>(findings, 512, listed, 0);
    timeSums<8, 4>(findings, 512, listed, 0);
    timeSums<16, 2>(findings, 512, listed, 0);
  }
  timeSums<16>(findings, 32, 24, 0);
  timeSums<16>(findings, 128, 76, 0);
  timeSums<16>(findings, 1024, 152, 0);
  timeSums<16>(findings, 4096, 600, 0);
  timeSums<1>(findings, 512, 76, 16384 - 16);
  timeSums<16>(findings, 512, 76, 16384 - 256);
}

} // namespace tercet::bench
