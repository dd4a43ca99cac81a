// Roles of the warpgroups of a block (sm_90a): warpgroup 0 copies, the others compute, with registers to match.
#pragma once

#include "tercet/dev/barrier.cuh"
#include "tercet/dev/thread.cuh"

namespace tercet::dev {

/// After all rings are made: their barriers are initialised for every thread.
TERCET_DEVICE void enter_roles() {
  barrier_init_done();
  __syncthreads();
}

TERCET_DEVICE bool in_producer() { return warp() < 4; }

/// Whether this thread of the producer is the one that starts copies.
TERCET_DEVICE bool starts_copies() { return threadIdx.x == 0; }

/// All threads of the producer's warpgroup give registers back.
template <int COUNT> TERCET_DEVICE void shrink_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(COUNT));
}

/// All threads of a consumer's warpgroup take more registers, when there are any.
template <int COUNT> TERCET_DEVICE void grow_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(COUNT));
}

} // namespace tercet::dev
