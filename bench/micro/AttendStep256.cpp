// The attention step with 16 registers, by hand and without rescaling: a score tile of R x 64 goes through memory, 16
// keys at a time, is turned into P there, and P is multiplied with 16 columns of V at a time. What differs is how K^T and
// V lie: in rows of the whole tile, or in panels of 16 columns. Also 2^x in both of the code generator's forms.
#include "MatrixTile.h"
#include "tercet/LoopHints.h"

#include <immintrin.h>

#include <algorithm>
#include <numeric>
#include <random>

namespace tercet::bench {
namespace {

constexpr int64_t keysPerBlock = 64, panel = 16, tokens = 4096;
// Minimax on [-1/2, 1/2] with p(0) = 1, as in the code generator.
constexpr float centred[] = {
    1.0f, 0.69314721497f, 0.24022652783f, 0.05550310551f, 0.009617692973f, 0.0013406643902f, 0.00015594678161f};

inline __m256 polynomial(__m256 x) {
  __m256 p = _mm256_set1_ps(centred[6]);
  for (int i = 5; i >= 0; --i)
    p = _mm256_fmadd_ps(p, x, _mm256_set1_ps(centred[i]));
  return p;
}

/// Any x: clamped on both sides, scaled by two powers of two.
struct Saturating {
  static constexpr const char *name = "clamp, 6 fma, two powers";
  __m256 operator()(__m256 x) const {
    __m256 magic = _mm256_set1_ps(12582912.0f);
    x = _mm256_min_ps(_mm256_set1_ps(160), _mm256_max_ps(_mm256_set1_ps(-160), x));
    __m256 shifted = _mm256_add_ps(x, magic);
    __asm__("" : "+x"(shifted));
    __m256 p = polynomial(_mm256_sub_ps(x, _mm256_sub_ps(shifted, magic)));
    __m256i n = _mm256_sub_epi32(_mm256_castps_si256(shifted), _mm256_set1_epi32(0x4b400000));
    __m256i half = _mm256_srai_epi32(n, 1), rest = _mm256_sub_epi32(n, half);
    auto power = [](__m256i e) {
      return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(e, _mm256_set1_epi32(127)), 23));
    };
    return _mm256_mul_ps(_mm256_mul_ps(p, power(half)), power(rest));
  }
};

/// No x above 126: the magic number carries the bias, and 2^n is a shift away.
struct Bounded {
  static constexpr const char *name = "one clamp, 6 fma, biased magic number";
  __m256 operator()(__m256 x) const {
    __m256 magic = _mm256_set1_ps(12582912.0f + 127);
    x = _mm256_max_ps(_mm256_set1_ps(-127), x);
    __m256 shifted = _mm256_add_ps(x, magic);
    __asm__("" : "+x"(shifted));
    __m256 p = polynomial(_mm256_sub_ps(x, _mm256_sub_ps(shifted, magic)));
    return _mm256_mul_ps(p, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(shifted), 23)));
  }
};

/// c += a b for R rows and 16 columns; a prefetch of `next` in every step, unless null.
template <int R>
inline void multiply(const float *a, int64_t aStride, const float *b, int64_t bStride, int64_t depth, const float *next,
                     __m256 (&c)[R][2]) {
  for (int64_t step = 0; step < depth; ++step, b += bStride) {
    if (next)
      _mm_prefetch(next + 2 * step, _MM_HINT_T1);
    __m256 right[2] = {_mm256_load_ps(b), _mm256_load_ps(b + 8)};
    __asm__("" : "+x"(right[0]), "+x"(right[1])); // loads of their own, not operands of every multiply-add
    TERCET_UNROLL(8)
    for (int row = 0; row < R; ++row) {
      __m256 left;
      __asm__("vbroadcastss %1, %0" : "=x"(left) : "m"(a[row * aStride + step]));
      c[row][0] = _mm256_fmadd_ps(left, right[0], c[row][0]);
      c[row][1] = _mm256_fmadd_ps(left, right[1], c[row][1]);
    }
  }
}

template <int R> inline void loadTile(const float *from, int64_t stride, __m256 (&c)[R][2]) {
  TERCET_UNROLL(8)
  for (int row = 0; row < R; ++row) {
    c[row][0] = _mm256_load_ps(from + row * stride);
    c[row][1] = _mm256_load_ps(from + row * stride + 8);
  }
}

template <int R> inline void storeTile(const __m256 (&c)[R][2], float *to, int64_t stride) {
  TERCET_UNROLL(8)
  for (int row = 0; row < R; ++row) {
    _mm256_store_ps(to + row * stride, c[row][0]);
    _mm256_store_ps(to + row * stride + 8, c[row][1]);
  }
}

/// Where a tile lies: `step` elements from a panel to the next, rows `stride` apart.
struct Layout {
  int64_t step, stride;
};

/// R rows against one block of keys.
template <int R>
__attribute__((noinline)) void stepRows(const float *q, const float *k, Layout keys, const float *v, Layout values,
                                        float *o, float *sums, int64_t d, const float *nextK, const float *nextV) {
  alignas(64) float p[R * keysPerBlock];
  __m256 c[R][2];
  for (int64_t part = 0; part < keysPerBlock / panel; ++part) {
    for (auto &row : c)
      row[0] = row[1] = _mm256_set1_ps(-20);
    multiply<R>(q, d, k + part * keys.step, keys.stride, d, nextK, c);
    storeTile<R>(c, p + part * panel, keysPerBlock);
  }
  for (int row = 0; row < R; ++row) {
    __m256 sum[2] = {_mm256_load_ps(sums + 16 * row), _mm256_load_ps(sums + 16 * row + 8)};
    TERCET_UNROLL(8)
    for (int i = 0; i < 8; ++i) {
      __m256 e = Bounded()(_mm256_load_ps(p + row * keysPerBlock + 8 * i));
      sum[i % 2] = _mm256_add_ps(sum[i % 2], e);
      _mm256_store_ps(p + row * keysPerBlock + 8 * i, e);
    }
    _mm256_store_ps(sums + 16 * row, sum[0]);
    _mm256_store_ps(sums + 16 * row + 8, sum[1]);
  }
  for (int64_t part = 0; part < d / panel; ++part) {
    loadTile<R>(o + part * panel, d, c);
    multiply<R>(p, keysPerBlock, v + part * values.step, values.stride, keysPerBlock, nextV, c);
    storeTile<R>(c, o + part * panel, d);
  }
}

Layout layout(bool inPanels, int64_t rows, int64_t columns) {
  return inPanels ? Layout{rows * panel, panel} : Layout{panel, columns};
}

template <int R> void timeStep(Findings &findings, int64_t d, int64_t rows, bool keysInPanels, bool valuesInPanels) {
  Floats q(static_cast<size_t>(rows * d)), k(static_cast<size_t>(tokens * d)), v(static_cast<size_t>(tokens * d)),
      o(static_cast<size_t>(rows * d)), sums(static_cast<size_t>(rows * 16));
  Layout keys = layout(keysInPanels, d, keysPerBlock), values = layout(valuesInPanels, keysPerBlock, d);
  std::string name = "d " + std::to_string(d) + ", tile " + std::to_string(R) + "x16, " + std::to_string(rows) +
                     " rows, panels of " +
                     (valuesInPanels ? "K and V"
                      : keysInPanels ? "K"
                                     : "neither");
  findings.peakFraction(
      "step256", name, 4.0 * static_cast<double>(rows / R * R * tokens * d),
      [&] {
        for (int64_t key = 0; key < tokens; key += keysPerBlock)
          for (int64_t row = 0; row + R <= rows; row += R)
            stepRows<R>(q.data() + row * d, k.data() + key * d, keys, v.data() + key * d, values, o.data() + row * d,
                        sums.data() + row * 16, d, nullptr, nullptr);
      },
      CpuLevel::v3);
}

/// 60 query rows with random lists of blocks of a long sequence: no hardware prefetcher sees the next block coming.
void timeListed(Findings &findings, int64_t d, int64_t longTokens, bool prefetch) {
  constexpr int64_t rows = 60, queryBlocks = 8;
  int64_t blocks = longTokens / keysPerBlock, listed = blocks / 20, blockFloats = keysPerBlock * d;
  Floats q(static_cast<size_t>(rows * d)), k(static_cast<size_t>(longTokens * d)),
      v(static_cast<size_t>(longTokens * d)), o(static_cast<size_t>(rows * d)), sums(rows * 16);
  std::vector<int64_t> lists, all(static_cast<size_t>(blocks));
  std::mt19937 generator(1);
  std::iota(all.begin(), all.end(), 0);
  for (int64_t i = 0; i < 256; ++i) {
    std::shuffle(all.begin(), all.end(), generator);
    std::sort(all.begin(), all.begin() + listed);
    lists.insert(lists.end(), all.begin(), all.begin() + listed);
  }
  size_t at = 0;
  Layout keys = layout(true, d, keysPerBlock), values = layout(true, keysPerBlock, d);
  std::string name = "d " + std::to_string(d) + ", 60 rows, " + std::to_string(listed) + " of " +
                     std::to_string(blocks) + " blocks" + (prefetch ? ", next block fetched to L2, spread" : "");
  findings.peakFraction(
      "listed256", name, 4.0 * static_cast<double>(queryBlocks * listed * rows * keysPerBlock * d),
      [&] {
        for (int64_t i = 0; i < queryBlocks * listed; ++i, at = (at + 1) % (lists.size() - 1)) {
          const float *kNext = k.data() + lists[at + 1] * blockFloats, *vNext = v.data() + lists[at + 1] * blockFloats;
          for (int64_t row = 0; row < rows; row += 6) {
            int64_t share = row * blockFloats / rows;
            stepRows<6>(q.data() + row * d, k.data() + lists[at] * blockFloats, keys,
                        v.data() + lists[at] * blockFloats, values, o.data() + row * d, sums.data() + row * 16, d,
                        prefetch ? kNext + share : nullptr, prefetch ? vNext + share : nullptr);
          }
        }
      },
      CpuLevel::v3);
}

template <typename Exp> void timeExp(Findings &findings) {
  constexpr int64_t vectors = 48, repeats = 64; // a score tile of 6 x 64 in memory
  Floats tile(vectors * 8);
  findings.slots("exp2_256", Exp::name, repeats * vectors, 8, [&] {
    for (int64_t r = 0; r < repeats; ++r) {
      TERCET_UNROLL(8)
      for (int64_t i = 0; i < vectors; ++i)
        _mm256_store_ps(tile.data() + 8 * i, Exp()(_mm256_load_ps(tile.data() + 8 * i)));
    }
  });
}

} // namespace

void exp2Variants256(Findings &findings) {
  timeExp<Saturating>(findings);
  timeExp<Bounded>(findings);
}

void attendStep256(Findings &findings) {
  for (int64_t d : {64, 128}) {
    timeStep<4>(findings, d, 240, false, false);
    timeStep<6>(findings, d, 240, false, false);
    timeStep<6>(findings, d, 240, true, false);
    timeStep<6>(findings, d, 240, true, true);
    timeStep<6>(findings, d, 60, true, true);
  }
}

void listedBlocks256(Findings &findings) {
  for (int64_t d : {64, 128})
    for (int64_t longTokens : {4096, 32768})
      for (bool prefetch : {false, true})
        timeListed(findings, d, longTokens, prefetch);
}

} // namespace tercet::bench
