// The baseline's softmax, 512-bit: 2^x by range reduction to [0, 1), degree 5, and scalef.
#include "FlashBaseline.h"
#include "SoftmaxStep.h"

#include <immintrin.h>

namespace tercet::bench {
namespace {

struct Vector512 {
  static constexpr int64_t lanes = 16;
  __m512 v;
  static Vector512 all(float x) { return {_mm512_set1_ps(x)}; }
  static Vector512 load(const float *p) { return {_mm512_loadu_ps(p)}; }
  void store(float *p) const { _mm512_storeu_ps(p, v); }
  float largest() const { return _mm512_reduce_max_ps(v); }
  float total() const { return _mm512_reduce_add_ps(v); }
  friend Vector512 max(Vector512 a, Vector512 b) { return {_mm512_max_ps(a.v, b.v)}; }
  friend Vector512 operator+(Vector512 a, Vector512 b) { return {_mm512_add_ps(a.v, b.v)}; }
  friend Vector512 operator-(Vector512 a, Vector512 b) { return {_mm512_sub_ps(a.v, b.v)}; }
  friend Vector512 operator*(Vector512 a, Vector512 b) { return {_mm512_mul_ps(a.v, b.v)}; }
  friend Vector512 exp2(Vector512 x) {
    x = max(x, all(-150.0f)); // -inf has no fraction
    __m512 whole = _mm512_roundscale_ps(x.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    __m512 f = _mm512_sub_ps(x.v, whole);
    __m512 p = _mm512_set1_ps(0.001877576254f);
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.008989341106f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.0558263172f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.2401536173f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.6931530732f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.9999999251f));
    return {_mm512_scalef_ps(p, whole)};
  }
};

} // namespace

void softmaxStep512(float *scores, int64_t rows, int64_t keys, int64_t stride, float *m, float *l, float *o,
                    int64_t headDim, bool first) {
  softmaxStep<Vector512>(scores, rows, keys, stride, m, l, o, headDim, first);
}

} // namespace tercet::bench
