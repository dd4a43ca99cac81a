// K [64 keys][d] to its tile K^T [d][64]: the packing stage, per float moved, in FMA slots of 16 floats.
#include "Micro.h"
#include "tercet/LoopHints.h"

#include <immintrin.h>

namespace tercet::bench {
namespace {

__attribute__((noinline)) void packScalar(const float *k, int64_t pitch, float *packed, int64_t depth) {
  for (int64_t key = 0; key < 64; ++key)
    for (int64_t c = 0; c < depth; ++c)
      packed[c * 64 + key] = k[key * pitch + c];
}

__attribute__((noinline)) void packScalarByColumn(const float *k, int64_t pitch, float *packed, int64_t depth) {
  for (int64_t c = 0; c < depth; ++c)
    for (int64_t key = 0; key < 64; ++key)
      packed[c * 64 + key] = k[key * pitch + c];
}

__attribute__((noinline)) void packGather(const float *k, int64_t pitch, float *packed, int64_t depth) {
  __m512i step = _mm512_mullo_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                                    _mm512_set1_epi32(static_cast<int>(pitch)));
  for (int64_t key = 0; key < 64; key += 16)
    for (int64_t c = 0; c < depth; ++c)
      _mm512_store_ps(packed + c * 64 + key, _mm512_i32gather_ps(step, k + key * pitch + c, 4));
}

/// 16 x 16 in registers: unpack, unpack, shuffle, shuffle; 64 shuffles for 16 vectors.
inline void transpose16(const float *from, int64_t pitch, float *to, int64_t toPitch) {
  __m512 a[16], b[16];
  TERCET_UNROLL(16)
  for (int i = 0; i < 16; ++i)
    a[i] = _mm512_loadu_ps(from + i * pitch);
  TERCET_UNROLL(8)
  for (int i = 0; i < 16; i += 2) {
    b[i] = _mm512_unpacklo_ps(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_ps(a[i], a[i + 1]);
  }
  TERCET_UNROLL(4)
  for (int i = 0; i < 16; i += 4) {
    TERCET_UNROLL(2)
    for (int half = 0; half < 2; ++half) {
      a[i + 2 * half] =
          _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(b[i + half]), _mm512_castps_pd(b[i + 2 + half])));
      a[i + 2 * half + 1] =
          _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(b[i + half]), _mm512_castps_pd(b[i + 2 + half])));
    }
  }
  // a[4g + c] lane l holds column 4l + c of rows 4g .. 4g+3.
  TERCET_UNROLL(4)
  for (int c = 0; c < 4; ++c) {
    __m512 even01 = _mm512_shuffle_f32x4(a[c], a[4 + c], 0x88), odd01 = _mm512_shuffle_f32x4(a[c], a[4 + c], 0xdd);
    __m512 even23 = _mm512_shuffle_f32x4(a[8 + c], a[12 + c], 0x88),
           odd23 = _mm512_shuffle_f32x4(a[8 + c], a[12 + c], 0xdd);
    _mm512_storeu_ps(to + (0 + c) * toPitch, _mm512_shuffle_f32x4(even01, even23, 0x88));
    _mm512_storeu_ps(to + (8 + c) * toPitch, _mm512_shuffle_f32x4(even01, even23, 0xdd));
    _mm512_storeu_ps(to + (4 + c) * toPitch, _mm512_shuffle_f32x4(odd01, odd23, 0x88));
    _mm512_storeu_ps(to + (12 + c) * toPitch, _mm512_shuffle_f32x4(odd01, odd23, 0xdd));
  }
}

__attribute__((noinline)) void packShuffle(const float *k, int64_t pitch, float *packed, int64_t depth) {
  for (int64_t c = 0; c < depth; c += 16)
    for (int64_t key = 0; key < 64; key += 16)
      transpose16(k + key * pitch + c, pitch, packed + c * 64 + key, 64);
}

__attribute__((noinline)) void copyRows(const float *k, int64_t pitch, float *packed, int64_t depth) {
  for (int64_t key = 0; key < 64; ++key)
    for (int64_t c = 0; c < depth; c += 16)
      _mm512_storeu_ps(packed + key * depth + c, _mm512_loadu_ps(k + key * pitch + c));
}

} // namespace

void transposingPack512(Findings &findings) {
  struct Way {
    const char *name;
    void (*pack)(const float *, int64_t, float *, int64_t);
  };
  const Way ways[] = {{"scalar, row by row", packScalar},
                      {"scalar, column by column", packScalarByColumn},
                      {"gather", packGather},
                      {"16 x 16 shuffles", packShuffle},
                      {"copy without transposing", copyRows}};
  for (int64_t depth : {64, 128})
    for (int64_t keys : {64, 4096}) {
      Floats k(static_cast<size_t>(keys * depth)), packed(static_cast<size_t>(keys * depth));
      for (const Way &way : ways)
        findings.slots("pack",
                       std::string(way.name) + ", d " + std::to_string(depth) + ", " + std::to_string(keys) +
                           " keys, per 16 floats",
                       static_cast<double>(keys * depth / 16), 16, [&] {
                         for (int64_t key = 0; key < keys; key += 64)
                           way.pack(k.data() + key * depth, depth, packed.data() + key * depth, depth);
                       });
    }
}

} // namespace tercet::bench
