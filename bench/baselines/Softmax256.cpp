// The baseline's softmax, 256-bit: 2^x by rounding to the nearest whole, degree 5, and the exponent added as an
// integer.
#include "FlashBaseline.h"
#include "SoftmaxStep.h"

#include <immintrin.h>

namespace tercet::bench {
namespace {

struct Vector256 {
  static constexpr int64_t lanes = 8;
  __m256 v;
  static Vector256 all(float x) { return {_mm256_set1_ps(x)}; }
  static Vector256 load(const float *p) { return {_mm256_loadu_ps(p)}; }
  void store(float *p) const { _mm256_storeu_ps(p, v); }
  float largest() const {
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
  }
  float total() const {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
  }
  friend Vector256 max(Vector256 a, Vector256 b) { return {_mm256_max_ps(a.v, b.v)}; }
  friend Vector256 operator+(Vector256 a, Vector256 b) { return {_mm256_add_ps(a.v, b.v)}; }
  friend Vector256 operator-(Vector256 a, Vector256 b) { return {_mm256_sub_ps(a.v, b.v)}; }
  friend Vector256 operator*(Vector256 a, Vector256 b) { return {_mm256_mul_ps(a.v, b.v)}; }
  friend Vector256 exp2(Vector256 x) {
    x = max(x, all(-126.0f));
    __m256 whole = _mm256_round_ps(x.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m256 f = _mm256_sub_ps(x.v, whole);
    __m256 p = _mm256_set1_ps(0.001327646674f);
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(0.009675541292f));
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(0.0555071329f));
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(0.2402211972f));
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(0.6931469671f));
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(1.000000072f));
    __m256i exponent = _mm256_slli_epi32(_mm256_cvtps_epi32(whole), 23);
    return {_mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), exponent))};
  }
};

} // namespace

void softmaxStep256(float *scores, int64_t rows, int64_t keys, int64_t stride, float *m, float *l, float *o,
                    int64_t headDim, bool first) {
  softmaxStep<Vector256>(scores, rows, keys, stride, m, l, o, headDim, first);
}

} // namespace tercet::bench
