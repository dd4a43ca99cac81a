/// Loop hints, put before a loop, in the spelling of the compiler at hand.
#pragma once

#define TERCET_LOOP_PRAGMA(text) _Pragma(#text)

/// TERCET_UNROLL(n): n rounds become one. TERCET_INDEPENDENT: no round reads what another writes.
#if defined(__clang__)
#define TERCET_UNROLL(count) TERCET_LOOP_PRAGMA(clang loop unroll_count(count))
#define TERCET_INDEPENDENT TERCET_LOOP_PRAGMA(clang loop vectorize(assume_safety))
#else
#define TERCET_UNROLL(count) TERCET_LOOP_PRAGMA(GCC unroll count)
#define TERCET_INDEPENDENT TERCET_LOOP_PRAGMA(GCC ivdep)
#endif
