// The attention step as the CPU code generator shapes it, by hand and without rescaling: for each block of 64 keys, for
// each row tile, S = Q K^T, P = 2^S, O += P V. An upper bound for generated kernels, and a way to see what the rows of
// a work item, the tile's shape and prefetching change. Memory behaves as in a head of 4096 tokens.
#include "MatrixTile.h"
#include "tercet/LoopHints.h"

#include <immintrin.h>

#include <algorithm>
#include <numeric>
#include <random>

namespace tercet::bench {
namespace {

constexpr int64_t keysPerBlock = 64, tokens = 4096;

inline __m512 exp2Of(__m512 x) {
  constexpr float c[] = {0.9999999251f, 0.6931530732f, 0.2401536173f, 0.0558263172f, 0.008989341106f, 0.001877576254f};
  __m512 f = _mm512_reduce_ps(x, 9), p = _mm512_set1_ps(c[5]);
  for (int i = 4; i >= 0; --i)
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(c[i]));
  return _mm512_scalef_ps(p, x);
}

/// P = 2^(q K^T - m) for Rows rows and 64 keys, in two halves when Columns is 2; row sums per lane.
template <int Rows, int Columns, bool spread = false>
inline void scores(const float *q, const float *k, float *p, const float *m, float *sums, int64_t d,
                   const float *next = nullptr) {
  TERCET_UNROLL(4)
  for (int half = 0; half < 4 / Columns; ++half) {
    __m512 s[Rows][Columns];
    TERCET_UNROLL(16)
    for (int row = 0; row < Rows; ++row) {
      TERCET_UNROLL(4)
      for (int column = 0; column < Columns; ++column)
        s[row][column] = _mm512_set1_ps(-m[row]);
    }
    const float *right = k + half * Columns * 16;
    for (int64_t step = 0; step < d; ++step, right += keysPerBlock) {
      if constexpr (spread)
        _mm_prefetch(next + step * 4, _MM_HINT_T1);
      __m512 keys[Columns];
      TERCET_UNROLL(4)
      for (int column = 0; column < Columns; ++column)
        keys[column] = _mm512_load_ps(right + 16 * column);
      TERCET_UNROLL(16)
      for (int row = 0; row < Rows; ++row) {
        __m512 left;
        __asm__("vbroadcastss %1, %0" : "=v"(left) : "m"(q[row * d + step]));
        TERCET_UNROLL(4)
        for (int column = 0; column < Columns; ++column)
          s[row][column] = _mm512_fmadd_ps(left, keys[column], s[row][column]);
      }
    }
    TERCET_UNROLL(16)
    for (int row = 0; row < Rows; ++row) {
      __m512 sum = _mm512_load_ps(sums + 16 * row);
      TERCET_UNROLL(4)
      for (int column = 0; column < Columns; ++column) {
        __m512 e = exp2Of(s[row][column]);
        sum = _mm512_add_ps(sum, e);
        _mm512_store_ps(p + keysPerBlock * row + 16 * (half * Columns + column), e);
      }
      _mm512_store_ps(sums + 16 * row, sum);
    }
  }
}

template <int Rows, int Columns, bool spread = false>
inline void accumulate(const float *p, const float *v, float *o, int64_t d, const float *next = nullptr) {
  for (int64_t slice = 0; slice < d; slice += Columns * 16) {
    __m512 acc[Rows][Columns];
    TERCET_UNROLL(16)
    for (int row = 0; row < Rows; ++row) {
      TERCET_UNROLL(4)
      for (int column = 0; column < Columns; ++column)
        acc[row][column] = _mm512_load_ps(o + row * d + slice + 16 * column);
    }
    const float *right = v + slice;
    for (int64_t key = 0; key < keysPerBlock; ++key, right += d) {
      if (spread)
        _mm_prefetch(next + slice + key * Columns * 16 / keysPerBlock * 4, _MM_HINT_T1);
      if constexpr (spread)
        _mm_prefetch(next + (slice + key) * 4, _MM_HINT_T1);
      __m512 values[Columns];
      TERCET_UNROLL(4)
      for (int column = 0; column < Columns; ++column)
        values[column] = _mm512_load_ps(right + 16 * column);
      TERCET_UNROLL(16)
      for (int row = 0; row < Rows; ++row) {
        __m512 left;
        __asm__("vbroadcastss %1, %0" : "=v"(left) : "m"(p[row * keysPerBlock + key]));
        TERCET_UNROLL(4)
        for (int column = 0; column < Columns; ++column)
          acc[row][column] = _mm512_fmadd_ps(left, values[column], acc[row][column]);
      }
    }
    TERCET_UNROLL(16)
    for (int row = 0; row < Rows; ++row) {
      TERCET_UNROLL(4)
      for (int column = 0; column < Columns; ++column)
        _mm512_store_ps(o + row * d + slice + 16 * column, acc[row][column]);
    }
  }
}

template <int Rows, int Columns> void timeStep(Findings &findings, int64_t d, int64_t rows, bool prefetch) {
  int64_t tiles = rows / Rows;
  Floats q(static_cast<size_t>(rows * d)), k(tokens * static_cast<size_t>(d)), v(tokens * static_cast<size_t>(d)),
      o(static_cast<size_t>(rows * d)), p(Rows * keysPerBlock), m(static_cast<size_t>(rows)),
      sums(static_cast<size_t>(rows * 16));
  for (int64_t row = 0; row < rows; ++row)
    m.data()[row] = static_cast<float>(d); // keeps 2^S in range
  std::string name = "d " + std::to_string(d) + ", tile " + std::to_string(Rows) + "x" + std::to_string(Columns * 16) +
                     ", " + std::to_string(rows) + " rows" + (prefetch ? ", prefetch" : "");
  findings.peakFraction("step", name, 4.0 * static_cast<double>(tiles * Rows * tokens * d), [&] {
    for (int64_t key = 0; key < tokens; key += keysPerBlock) {
      const float *kBlock = k.data() + key * d, *vBlock = v.data() + key * d;
      int64_t linesPerTile = (keysPerBlock * d / 16 + tiles - 1) / tiles;
      for (int64_t tile = 0; tile < tiles; ++tile) {
        if (prefetch && key + keysPerBlock < tokens)
          for (int64_t line = tile * linesPerTile; line < (tile + 1) * linesPerTile; ++line) {
            _mm_prefetch(kBlock + (keysPerBlock * d + line * 16), _MM_HINT_T1);
            _mm_prefetch(vBlock + (keysPerBlock * d + line * 16), _MM_HINT_T1);
          }
        int64_t row = tile * Rows;
        scores<Rows, Columns>(q.data() + row * d, kBlock, p.data(), m.data() + row, sums.data() + row * 16, d);
        accumulate<Rows, Columns>(p.data(), vBlock, o.data() + row * d, d);
      }
    }
  });
}

/// Fetch: which level of cache the next listed block is fetched into while this one is worked on.
/// burst: before each row tile, its share at once; spread: a line every four steps of the products.
enum class Fetch { none, burstL2, burstL1, spreadL2 };

inline void fetchLines(const float *from, int64_t lines, Fetch fetch) {
  for (int64_t line = 0; line < lines; ++line)
    if (fetch == Fetch::burstL2)
      _mm_prefetch(from + line * 16, _MM_HINT_T1);
    else
      _mm_prefetch(from + line * 16, _MM_HINT_T0);
}

/// Blocks of 64 queries with `listed` random key blocks each out of a long sequence: K and V come from L3 or memory,
/// and no hardware prefetcher sees the next block coming.
void timeListed(Findings &findings, int64_t d, int64_t longTokens, int64_t listed, Fetch fetch, Pages pages) {
  constexpr int64_t rows = 64, tiles = rows / 4, queryBlocks = 16;
  int64_t blocks = longTokens / keysPerBlock, blockFloats = keysPerBlock * d;
  Floats q(static_cast<size_t>(rows * d)), k(static_cast<size_t>(longTokens * d), pages),
      v(static_cast<size_t>(longTokens * d), pages), o(static_cast<size_t>(rows * d)), p(4 * keysPerBlock), m(rows),
      sums(rows * 16);
  for (int64_t row = 0; row < rows; ++row)
    m.data()[row] = static_cast<float>(d);
  std::vector<int64_t> lists, all(static_cast<size_t>(blocks));
  std::mt19937 generator(1);
  std::iota(all.begin(), all.end(), 0);
  for (int64_t i = 0; i < 512; ++i) {
    std::shuffle(all.begin(), all.end(), generator);
    std::sort(all.begin(), all.begin() + listed);
    lists.insert(lists.end(), all.begin(), all.begin() + listed);
  }
  size_t at = 0;
  const char *fetched[] = {"", ", next block fetched to L2", ", next block fetched to L1",
                           ", next block fetched to L2, spread"};
  std::string name = "d " + std::to_string(d) + ", 64 rows, " + std::to_string(listed) + " of " +
                     std::to_string(blocks) + " blocks" + fetched[static_cast<int>(fetch)] +
                     (pages == Pages::huge ? ", huge pages" : "");
  findings.peakFraction("listed", name, 4.0 * static_cast<double>(queryBlocks * listed * rows * keysPerBlock * d), [&] {
    for (int64_t i = 0; i < queryBlocks * listed; ++i, ++at) {
      if (at + 1 >= lists.size())
        at = 0;
      const float *kBlock = k.data() + lists[at] * blockFloats, *vBlock = v.data() + lists[at] * blockFloats;
      const float *kNext = k.data() + lists[at + 1] * blockFloats, *vNext = v.data() + lists[at + 1] * blockFloats;
      constexpr int64_t share = tiles * 16;
      for (int64_t tile = 0; tile < tiles; ++tile) {
        if (fetch == Fetch::spreadL2) {
          int64_t done = tile * blockFloats / tiles;
          scores<4, 4, true>(q.data() + tile * 4 * d, kBlock, p.data(), m.data() + tile * 4, sums.data() + tile * 64, d,
                             kNext + done);
          accumulate<4, 4, true>(p.data(), vBlock, o.data() + tile * 4 * d, d, vNext + done);
          continue;
        }
        if (fetch != Fetch::none) {
          fetchLines(kNext + tile * blockFloats / tiles, blockFloats / share, fetch);
          fetchLines(vNext + tile * blockFloats / tiles, blockFloats / share, fetch);
        }
        scores<4, 4>(q.data() + tile * 4 * d, kBlock, p.data(), m.data() + tile * 4, sums.data() + tile * 64, d);
        accumulate<4, 4>(p.data(), vBlock, o.data() + tile * 4 * d, d);
      }
    }
  });
}

} // namespace

void listedBlocks512(Findings &findings) {
  for (int64_t d : {64, 128})
    for (int64_t longTokens : {4096, 32768, 131072})
      for (Fetch fetch : {Fetch::none, Fetch::burstL2, Fetch::burstL1, Fetch::spreadL2})
        for (Pages pages : {Pages::normal, Pages::huge})
          timeListed(findings, d, longTokens, longTokens / keysPerBlock / 20, fetch, pages);
}

void attendStep512(Findings &findings) {
  for (int64_t d : {64, 128}) {
    for (int64_t rows : {64, 128, 256, 512})
      for (bool prefetch : {false, true})
        timeStep<4, 4>(findings, d, rows, prefetch);
    timeStep<6, 4>(findings, d, 256, true);
    timeStep<8, 2>(findings, d, 256, true);
    timeStep<12, 2>(findings, d, 256, true);
    timeStep<6, 4>(findings, d, 64, true);
  }
}

} // namespace tercet::bench
