// Dispatch: one body of C++, compiled for every CPU level, called through the level of this machine.
//
// Not target_clones: its resolvers run before sanitizers are set up and crash there. Not one file per level: inline
// functions of the standard library, compiled for AVX-512, could then be the copies that the linker keeps for all.
#pragma once

#include "tercet/Cpu.h"

#if defined(__x86_64__)
#define TERCET_TARGET(level) [[gnu::target(level)]]
#else
#define TERCET_TARGET(level)
#endif

namespace tercet::rt {

/// Body has a static, always-inline function `run(Args...)`.
template <typename Body, typename... Args> class Dispatch {
public:
  static void call(Args... args) {
    static const Function function = choose();
    function(args...);
  }
  /// One level, for tests and benchmarks; it must not exceed detectCpuLevel().
  static void callAt(CpuLevel level, Args... args) { at(level)(args...); }

private:
  using Function = void (*)(Args...);

  TERCET_TARGET("arch=x86-64-v4,prefer-vector-width=512") static void v4(Args... args) { Body::run(args...); }
  TERCET_TARGET("arch=x86-64-v3") static void v3(Args... args) { Body::run(args...); }
  static void portable(Args... args) { Body::run(args...); }

  static Function at(CpuLevel level) { return level == CpuLevel::v4 ? v4 : level == CpuLevel::v3 ? v3 : portable; }
  static Function choose() { return at(detectCpuLevel()); }
};

} // namespace tercet::rt
