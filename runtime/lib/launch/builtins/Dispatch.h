// Dispatch: one body of C++, compiled for every CPU level, called through the level of this machine.
//
// Not target_clones: its resolvers run before sanitizers are set up and crash there. Not one file per level: inline
// functions of the standard library, compiled for AVX-512, could then be the copies that the linker keeps for all.
#pragma once

#include "tercet/rt/Builtin.h"

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
    switch (builtinLevel()) {
    case CpuLevel::v4:
      return v4(args...);
    case CpuLevel::v3:
      return v3(args...);
    case CpuLevel::portable:
      return Body::run(args...);
    }
  }

private:
  TERCET_TARGET("arch=x86-64-v4") [[gnu::noinline]] static void v4(Args... args) { Body::run(args...); }
  TERCET_TARGET("arch=x86-64-v3") [[gnu::noinline]] static void v3(Args... args) { Body::run(args...); }
};

} // namespace tercet::rt
