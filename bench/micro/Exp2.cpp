// 2^x on 512-bit vectors, four ways, over a 4 x 64 tile that stays in registers, alone and after the matrix product
// that makes the tile; and the issue slots of the instructions they are made of.
#include "MatrixTile.h"
#include "tercet/LoopHints.h"

#include <immintrin.h>

namespace tercet::bench {
namespace {

constexpr int tileVectors = 16;

// Minimax on [0, 1), relative error 7.5e-8; on [-1/2, 1/2] 1e-7.
constexpr float onUnit[] = {0.9999999251f, 0.6931530732f,   0.2401536173f,
                            0.0558263172f, 0.008989341106f, 0.001877576254f};
constexpr float centred[] = {1.000000072f,  0.6931469671f,   0.2402211972f,
                             0.0555071329f, 0.009675541292f, 0.001327646674f};

inline __m512 polynomial(const float (&c)[6], __m512 x) {
  __m512 p = _mm512_set1_ps(c[5]);
  for (int i = 4; i >= 0; --i)
    p = _mm512_fmadd_ps(p, x, _mm512_set1_ps(c[i]));
  return p;
}

struct ReduceScale {
  static constexpr const char *name = "vreduceps + 5 fma + vscalefps";
  __m512 operator()(__m512 x) const { return _mm512_scalef_ps(polynomial(onUnit, _mm512_reduce_ps(x, 9)), x); }
};
struct RoundScale {
  static constexpr const char *name = "vrndscaleps + sub + 5 fma + vscalefps";
  __m512 operator()(__m512 x) const {
    __m512 whole = _mm512_roundscale_ps(x, 8);
    return _mm512_scalef_ps(polynomial(centred, _mm512_sub_ps(x, whole)), whole);
  }
};
struct MagicScale {
  static constexpr const char *name = "magic add + 2 sub + 5 fma + vscalefps";
  __m512 operator()(__m512 x) const {
    __m512 magic = _mm512_set1_ps(12582912.0f);
    __m512 shifted = _mm512_add_ps(x, magic);
    __asm__("" : "+v"(shifted));
    __m512 whole = _mm512_sub_ps(shifted, magic);
    return _mm512_scalef_ps(polynomial(centred, _mm512_sub_ps(x, whole)), whole);
  }
};
struct MagicInteger {
  static constexpr const char *name = "max + magic add + 2 sub + 5 fma + shift + integer add";
  __m512 operator()(__m512 x) const {
    __m512 magic = _mm512_set1_ps(12582912.0f);
    x = _mm512_max_ps(x, _mm512_set1_ps(-126.0f));
    __m512 shifted = _mm512_add_ps(x, magic);
    __asm__("" : "+v"(shifted));
    __m512 p = polynomial(centred, _mm512_sub_ps(x, _mm512_sub_ps(shifted, magic)));
    return _mm512_castsi512_ps(
        _mm512_add_epi32(_mm512_castps_si512(p), _mm512_slli_epi32(_mm512_castps_si512(shifted), 23)));
  }
};
struct NoExp {
  static constexpr const char *name = "no exp (store only)";
  __m512 operator()(__m512 x) const { return x; }
};

template <typename Exp> __attribute__((noinline)) void expTiles(float *tile, int64_t repeats) {
  __m512 x[tileVectors];
  TERCET_UNROLL(16)
  for (int i = 0; i < tileVectors; ++i)
    x[i] = _mm512_load_ps(tile + 16 * i);
  for (int64_t r = 0; r < repeats; ++r) {
    TERCET_UNROLL(16)
    for (int i = 0; i < tileVectors; ++i) {
      x[i] = Exp()(x[i]);
      __asm__("" : "+v"(x[i]));
    }
  }
  TERCET_UNROLL(16)
  for (int i = 0; i < tileVectors; ++i)
    _mm512_store_ps(tile + 16 * i, x[i]);
}

/// S = Q K^T on a 4 x 64 tile, P = 2^S stored, row sums kept: the first half of an attention step.
template <typename Exp>
__attribute__((noinline)) void scoreTile(const float *q, const float *k, float *p, float *sums, int64_t depth) {
  __m512 s[4][4];
  TERCET_UNROLL(4)
  for (int row = 0; row < 4; ++row) {
    TERCET_UNROLL(4)
    for (int column = 0; column < 4; ++column)
      s[row][column] = _mm512_set1_ps(-20.0f);
  }
  for (int64_t step = 0; step < depth; ++step, k += 64) {
    __m512 right[4];
    TERCET_UNROLL(4)
    for (int column = 0; column < 4; ++column)
      right[column] = _mm512_load_ps(k + 16 * column);
    TERCET_UNROLL(4)
    for (int row = 0; row < 4; ++row) {
      __m512 left;
      __asm__("vbroadcastss %1, %0" : "=v"(left) : "m"(q[row * depth + step]));
      TERCET_UNROLL(4)
      for (int column = 0; column < 4; ++column)
        s[row][column] = _mm512_fmadd_ps(left, right[column], s[row][column]);
    }
  }
  TERCET_UNROLL(4)
  for (int row = 0; row < 4; ++row) {
    __m512 sum = _mm512_load_ps(sums + 16 * row);
    TERCET_UNROLL(4)
    for (int column = 0; column < 4; ++column) {
      __m512 e = Exp()(s[row][column]);
      sum = _mm512_add_ps(sum, e);
      _mm512_store_ps(p + 64 * row + 16 * column, e);
    }
    _mm512_store_ps(sums + 16 * row, sum);
  }
}

template <typename Exp> void timeExp(Findings &findings) {
  Floats tile(tileVectors * 16);
  constexpr int64_t repeats = 64;
  findings.slots("exp2", std::string(Exp::name) + ", alone", repeats * tileVectors, 16,
                 [&] { expTiles<Exp>(tile.data(), repeats); });
}

template <typename Exp> void timeScoreTile(Findings &findings, int64_t depth) {
  constexpr int64_t rows = 256;
  Floats q(static_cast<size_t>(rows * depth)), k(static_cast<size_t>(64 * depth)), p(256), sums(rows * 16);
  findings.peakFraction("exp2", "product depth " + std::to_string(depth) + ", then " + Exp::name,
                        2.0 * static_cast<double>(rows * 64 * depth), [&] {
                          for (int64_t row = 0; row < rows; row += 4)
                            scoreTile<Exp>(q.data() + row * depth, k.data(), p.data(), sums.data() + row * 16, depth);
                        });
}

template <typename Step> void timeInstruction(Findings &findings, const char *name, Step step) {
  constexpr int64_t repeats = 256;
  findings.slots("rates", name, repeats * tileVectors, 16, [&] {
    __m512 x[tileVectors];
    TERCET_UNROLL(16)
    for (__m512 &value : x)
      value = _mm512_set1_ps(0.75f);
    for (int64_t r = 0; r < repeats; ++r) {
      TERCET_UNROLL(16)
      for (int i = 0; i < tileVectors; ++i)
        step(x[i]);
    }
    TERCET_UNROLL(16)
    for (__m512 &value : x)
      __asm__ volatile("" : : "v"(value));
  });
}

} // namespace

void instructionRates512(Findings &findings) {
  __m512 other = _mm512_set1_ps(0.5f);
  __m512i lanes = _mm512_set1_epi32(3);
  timeInstruction(findings, "vfmadd231ps", [=](__m512 &x) {
    __asm__("vfmadd231ps %1, %1, %0" : "+v"(x) : "v"(other));
  });
  timeInstruction(findings, "vaddps", [=](__m512 &x) { __asm__("vaddps %1, %0, %0" : "+v"(x) : "v"(other)); });
  timeInstruction(findings, "vmulps", [=](__m512 &x) { __asm__("vmulps %1, %0, %0" : "+v"(x) : "v"(other)); });
  timeInstruction(findings, "vmaxps", [=](__m512 &x) { __asm__("vmaxps %1, %0, %0" : "+v"(x) : "v"(other)); });
  timeInstruction(findings, "vreduceps", [](__m512 &x) { __asm__("vreduceps $9, %0, %0" : "+v"(x)); });
  timeInstruction(findings, "vrndscaleps", [](__m512 &x) { __asm__("vrndscaleps $9, %0, %0" : "+v"(x)); });
  timeInstruction(findings, "vscalefps", [=](__m512 &x) { __asm__("vscalefps %1, %0, %0" : "+v"(x) : "v"(other)); });
  timeInstruction(findings, "vcvtps2dq", [](__m512 &x) { __asm__("vcvtps2dq %0, %0" : "+v"(x)); });
  timeInstruction(findings, "vpslld", [](__m512 &x) { __asm__("vpslld $23, %0, %0" : "+v"(x)); });
  timeInstruction(findings, "vpaddd", [=](__m512 &x) { __asm__("vpaddd %1, %0, %0" : "+v"(x) : "v"(lanes)); });
  timeInstruction(findings, "vpermps", [=](__m512 &x) { __asm__("vpermps %0, %1, %0" : "+v"(x) : "v"(lanes)); });
  timeInstruction(findings, "vcmpps to mask + masked vaddps", [=](__m512 &x) {
    __asm__("vcmpltps %1, %0, %%k1\n\tvaddps %1, %0, %0%{%%k1%}" : "+v"(x) : "v"(other) : "k1");
  });
  timeInstruction(findings, "vfmadd231ps + vaddps", [=](__m512 &x) {
    __asm__("vfmadd231ps %1, %1, %0\n\tvaddps %1, %0, %0" : "+v"(x) : "v"(other));
  });
  timeInstruction(findings, "vfmadd231ps + vreduceps", [=](__m512 &x) {
    __asm__("vfmadd231ps %1, %1, %0\n\tvreduceps $9, %0, %0" : "+v"(x) : "v"(other));
  });
  timeInstruction(findings, "vfmadd231ps + vscalefps", [=](__m512 &x) {
    __asm__("vfmadd231ps %1, %1, %0\n\tvscalefps %1, %0, %0" : "+v"(x) : "v"(other));
  });
  timeInstruction(findings, "vfmadd231ps + vmaxps", [=](__m512 &x) {
    __asm__("vfmadd231ps %1, %1, %0\n\tvmaxps %1, %0, %0" : "+v"(x) : "v"(other));
  });
  if (__builtin_cpu_supports("avx512bf16"))
    timeInstruction(findings, "vdpbf16ps", [=](__m512 &x) { __asm__("vdpbf16ps %1, %1, %0" : "+v"(x) : "v"(other)); });
}

void exp2Variants512(Findings &findings) {
  timeExp<ReduceScale>(findings);
  timeExp<RoundScale>(findings);
  timeExp<MagicScale>(findings);
  timeExp<MagicInteger>(findings);
  for (int64_t depth : {64, 128}) {
    timeScoreTile<NoExp>(findings, depth);
    timeScoreTile<ReduceScale>(findings, depth);
    timeScoreTile<RoundScale>(findings, depth);
    timeScoreTile<MagicScale>(findings, depth);
    timeScoreTile<MagicInteger>(findings, depth);
  }
}

} // namespace tercet::bench
