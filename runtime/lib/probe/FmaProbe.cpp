// Twelve (128-bit) or fourteen independent accumulator chains hide the latency of a multiply-add on every known core
// (latency 4-6 cycles, two a cycle). The multiplier and addend keep each chain near 1, so no denormal and no overflow.
#include "tercet/rt/FmaProbe.h"

#include "tercet/LoopHints.h"
#include "tercet/rt/Cores.h"

#include <algorithm>
#include <chrono>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tercet::rt {
namespace {

using Clock = std::chrono::steady_clock;

constexpr float multiplier = 0.999f, addend = 0.001f;
constexpr int stepsPerChunk = 4096; // some 10 us between two looks at the clock

double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Runs one chunk and returns its floating-point operations.
using Chunk = double (*)();

double portableChunk() {
  typedef float Vector __attribute__((vector_size(16)));
  constexpr int chains = 12;
  Vector acc[chains], m = {multiplier, multiplier, multiplier, multiplier}, a = {addend, addend, addend, addend};
  for (Vector &chain : acc)
    chain = m;
  for (int step = 0; step < stepsPerChunk; ++step) {
    TERCET_UNROLL(16)
    for (int chain = 0; chain < chains; ++chain)
      acc[chain] = acc[chain] * m + a;
  }
  for (Vector &chain : acc)
    __asm__ volatile("" : : "m"(chain)); // the result counts as used
  return 2.0 * 4 * chains * stepsPerChunk;
}

#if defined(__x86_64__)
constexpr int wideChains = 14; // with the two operands, the 16 registers of AVX2

__attribute__((target("avx2,fma"))) double avx2Chunk() {
  __m256 acc[wideChains], m = _mm256_set1_ps(multiplier), a = _mm256_set1_ps(addend);
  for (__m256 &chain : acc)
    chain = m;
  for (int step = 0; step < stepsPerChunk; ++step) {
    TERCET_UNROLL(16)
    for (int chain = 0; chain < wideChains; ++chain)
      acc[chain] = _mm256_fmadd_ps(acc[chain], m, a);
  }
  for (__m256 &chain : acc)
    __asm__ volatile("" : : "m"(chain));
  return 2.0 * 8 * wideChains * stepsPerChunk;
}

__attribute__((target("avx512f"))) double avx512Chunk() {
  __m512 acc[wideChains], m = _mm512_set1_ps(multiplier), a = _mm512_set1_ps(addend);
  for (__m512 &chain : acc)
    chain = m;
  for (int step = 0; step < stepsPerChunk; ++step) {
    TERCET_UNROLL(16)
    for (int chain = 0; chain < wideChains; ++chain)
      acc[chain] = _mm512_fmadd_ps(acc[chain], m, a);
  }
  for (__m512 &chain : acc)
    __asm__ volatile("" : : "m"(chain));
  return 2.0 * 16 * wideChains * stepsPerChunk;
}
#endif

Chunk chunkFor(CpuLevel level) {
#if defined(__x86_64__)
  if (level == CpuLevel::v4)
    return avx512Chunk;
  if (level == CpuLevel::v3)
    return avx2Chunk;
#endif
  return portableChunk;
}

double rateOf(Chunk chunk, double seconds) {
  chunk(); // wakes the wide units
  double flops = 0, elapsed = 0;
  Clock::time_point start = Clock::now();
  do {
    flops += chunk();
    elapsed = secondsSince(start);
  } while (elapsed < seconds);
  return flops / elapsed;
}

} // namespace

double measureFmaPeak(const ProbeOptions &options) {
  Chunk chunk = chunkFor(std::min(options.level.value_or(CpuLevel::v4), detectCpuLevel()));
  double seconds = options.milliseconds / 1000;
  std::vector<double> rates(static_cast<size_t>(std::max(options.threads, 1)));
  runOnCores(rates.size(), [&](size_t thread) { rates[thread] = rateOf(chunk, seconds); });
  double sum = 0;
  for (double rate : rates)
    sum += rate;
  return sum;
}

BracketedTime timeBracketed(const std::function<void()> &work, const ProbeOptions &options) {
  BracketedTime result;
  result.peakBefore = measureFmaPeak(options);
  Clock::time_point start = Clock::now();
  work();
  result.seconds = secondsSince(start);
  result.peakAfter = measureFmaPeak(options);
  return result;
}

} // namespace tercet::rt
