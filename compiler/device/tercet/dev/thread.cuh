// Where a thread stands in its block, and how the four threads of a row (a quad) exchange values.
//
// Blocks are one-dimensional. In every matrix fragment a warp holds 16 rows; thread t holds parts of rows t / 4 and
// t / 4 + 8, so a row belongs to the quad of threads 4 (t / 4) .. 4 (t / 4) + 3.
#pragma once

#include "tercet/dev/types.cuh"

namespace tercet::dev {

/// An enumerator, since a constexpr variable of a namespace takes global memory.
enum : u32 { whole_warp = 0xffffffffu };

TERCET_DEVICE u32 lane() { return threadIdx.x % 32; }

/// The index of a thread in its block.
TERCET_DEVICE index thread_index() { return threadIdx.x; }

/// The index of a warp, the same register value in all of its threads.
TERCET_DEVICE u32 warp() { return __shfl_sync(whole_warp, threadIdx.x / 32, 0); }

/// The index of a warp among the workers of a block without roles.
TERCET_DEVICE index warp_worker() { return warp(); }

/// The index of a warpgroup among the consumers of a block with roles; warpgroup 0 is the producer.
TERCET_DEVICE index warpgroup_worker() { return warp() / 4 - 1; }

/// The address of shared memory as shared-space instructions take it.
TERCET_DEVICE u32 shared_address(const void *pointer) { return static_cast<u32>(__cvta_generic_to_shared(pointer)); }

TERCET_DEVICE float quad_max(float value) {
  value = fmaxf(value, __shfl_xor_sync(whole_warp, value, 1));
  return fmaxf(value, __shfl_xor_sync(whole_warp, value, 2));
}

TERCET_DEVICE float quad_add(float value) {
  value += __shfl_xor_sync(whole_warp, value, 1);
  return value + __shfl_xor_sync(whole_warp, value, 2);
}

/// The same over all threads of a warp.
TERCET_DEVICE float warp_max(float value) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2)
    value = fmaxf(value, __shfl_xor_sync(whole_warp, value, distance));
  return value;
}
template <class Number> TERCET_DEVICE Number warp_add(Number value) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2)
    value += __shfl_xor_sync(whole_warp, value, distance);
  return value;
}

/// The lanes before this one, as bits.
TERCET_DEVICE u32 lanes_before() { return (1u << lane()) - 1; }

} // namespace tercet::dev
