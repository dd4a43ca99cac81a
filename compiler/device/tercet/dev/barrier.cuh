// Barriers in shared memory that count arrivals and bytes (mbarrier, sm_90 on), and the fences between the two ways in
// which shared memory is reached: by threads (generic proxy) and by box copies and warpgroup products (async proxy).
#pragma once

#include "tercet/dev/types.cuh"

namespace tercet::dev {

/// A barrier completes a phase when `arrivals` have arrived and all announced bytes are there. Phases alternate 0, 1.
TERCET_DEVICE void barrier_init(u32 barrier, u32 arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}

/// Makes initialised barriers visible to the async proxy; a barrier of the block must follow.
TERCET_DEVICE void barrier_init_done() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }

TERCET_DEVICE void barrier_arrive(u32 barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}

/// Arrives, and announces bytes that box copies will bring.
TERCET_DEVICE void barrier_arrive_expecting(u32 barrier, u32 bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes) : "memory");
}

/// Waits until the phase of this parity is complete.
TERCET_DEVICE void barrier_wait(u32 barrier, u32 parity) {
  asm volatile("{\n"
               ".reg .pred done;\n"
               "again_%=:\n"
               "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
               "@done bra over_%=;\n"
               "bra again_%=;\n"
               "over_%=:\n"
               "}" ::"r"(barrier),
               "r"(parity)
               : "memory");
}

/// Orders what this thread wrote to shared memory before what the async proxy does next.
TERCET_DEVICE void async_proxy_fence() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

/// A barrier of `THREADS` threads of the block, by a number that differs from other barriers'.
template <int NUMBER, int THREADS> TERCET_DEVICE void named_barrier() {
  asm volatile("bar.sync %0, %1;" ::"n"(NUMBER), "n"(THREADS) : "memory");
}

} // namespace tercet::dev
