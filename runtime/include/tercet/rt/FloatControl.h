// FloatControl: the floating-point environment of work items. One subnormal in a peaked softmax costs hundreds of
// cycles, so items run with flush-to-zero and denormals-are-zero; and a host that changed rounding or unmasked
// exceptions must not change results.
#pragma once

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace tercet::rt {

/// Sets MXCSR to its default with FTZ and DAZ for its own lifetime, then puts back what was there. No-op off x86-64.
class FloatControl {
public:
#if defined(__x86_64__)
  FloatControl() : saved(_mm_getcsr()) { _mm_setcsr(defaults | flushBits); }
  ~FloatControl() { _mm_setcsr(saved); }
#else
  FloatControl() {}
  ~FloatControl() {}
#endif
  FloatControl(const FloatControl &) = delete;
  FloatControl &operator=(const FloatControl &) = delete;

private:
#if defined(__x86_64__)
  static constexpr unsigned defaults = 0x1f80;  // all exceptions masked, round to nearest even
  static constexpr unsigned flushBits = 0x8040; // FTZ, DAZ
  unsigned saved;
#endif
};

} // namespace tercet::rt
