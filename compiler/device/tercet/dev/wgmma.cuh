// wgmma.mma_async m64nNk16 for N = 64, 128, 192, 256 (sm_90a): one warpgroup multiplies 64 rows with operands in
// registers or behind descriptors of swizzled shared memory, and adds to f32 accumulators, asynchronously.
//
// An asm statement names each accumulator register, so the lists of operands are macros: TERCET_NAMES_n are the first n
// operands, TERCET_VALUES_n(d) the matching constraints.
#pragma once

#include "tercet/dev/types.cuh"

namespace tercet::dev {

#define TERCET_NAMES_32                                                                                                \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "                                             \
  "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define TERCET_NAMES_64                                                                                                \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "                                             \
  "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "                                   \
  "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "                                   \
  "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define TERCET_NAMES_96                                                                                                \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "                                             \
  "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "                                   \
  "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "                                   \
  "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "                                   \
  "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "                                   \
  "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95"
#define TERCET_NAMES_128                                                                                               \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "                                             \
  "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "                                   \
  "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "                                   \
  "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "                                   \
  "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "                                   \
  "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "                                   \
  "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "                       \
  "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"

#define TERCET_VALUES_8(d, i)                                                                                          \
  "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]),          \
      "+f"(d[i + 7])
#define TERCET_VALUES_32(d, i)                                                                                         \
  TERCET_VALUES_8(d, i), TERCET_VALUES_8(d, i + 8), TERCET_VALUES_8(d, i + 16), TERCET_VALUES_8(d, i + 24)
#define TERCET_VALUES_64(d, i) TERCET_VALUES_32(d, i), TERCET_VALUES_32(d, i + 32)
#define TERCET_VALUES_96(d, i) TERCET_VALUES_64(d, i), TERCET_VALUES_32(d, i + 64)
#define TERCET_VALUES_128(d, i) TERCET_VALUES_64(d, i), TERCET_VALUES_64(d, i + 64)

/// d += A B (d = A B unless `add`), 64 x N from depth 16. TRANSPOSED: B lies depth x N in memory, else N x depth.
template <class Element, int N> struct WarpgroupMultiply;

// OPERANDS are the numbers of the operands after the accumulators: A (four registers or a descriptor), B, add,
// TRANSPOSED.
#define TERCET_WARPGROUP_MULTIPLY(ELEMENT, TYPE, N, COUNT, A0, A1, A2, A3, B4, ADD5, TRANS6, ADD2, TRANS3)             \
  template <> struct WarpgroupMultiply<ELEMENT, N> {                                                                   \
    template <int TRANSPOSED>                                                                                          \
    TERCET_DEVICE static void from_registers(float (&d)[COUNT], const u32 (&a)[4], u64 b, bool add) {                  \
      asm volatile("{\n"                                                                                               \
                   ".reg .pred sum;\n"                                                                                 \
                   "setp.ne.b32 sum, %" #ADD5 ", 0;\n"                                                                 \
                   "wgmma.mma_async.sync.aligned.m64n" #N "k16.f32." TYPE "." TYPE " {" TERCET_NAMES_##COUNT           \
                   "}, {%" #A0 ", %" #A1 ", %" #A2 ", %" #A3 "}, %" #B4 ", sum, 1, 1, %" #TRANS6 ";\n"                 \
                   "}"                                                                                                 \
                   : TERCET_VALUES_##COUNT(d, 0)                                                                       \
                   : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(static_cast<u32>(add)), "n"(TRANSPOSED)); \
    }                                                                                                                  \
    template <int TRANSPOSED> TERCET_DEVICE static void from_shared(float (&d)[COUNT], u64 a, u64 b, bool add) {       \
      asm volatile("{\n"                                                                                               \
                   ".reg .pred sum;\n"                                                                                 \
                   "setp.ne.b32 sum, %" #ADD2 ", 0;\n"                                                                 \
                   "wgmma.mma_async.sync.aligned.m64n" #N "k16.f32." TYPE "." TYPE " {" TERCET_NAMES_##COUNT           \
                   "}, %" #A0 ", %" #A1 ", sum, 1, 1, 0, %" #TRANS3 ";\n"                                              \
                   "}"                                                                                                 \
                   : TERCET_VALUES_##COUNT(d, 0)                                                                       \
                   : "l"(a), "l"(b), "r"(static_cast<u32>(add)), "n"(TRANSPOSED));                                     \
    }                                                                                                                  \
  };

TERCET_WARPGROUP_MULTIPLY(bf16, "bf16", 64, 32, 32, 33, 34, 35, 36, 37, 38, 34, 35)
TERCET_WARPGROUP_MULTIPLY(f16, "f16", 64, 32, 32, 33, 34, 35, 36, 37, 38, 34, 35)
TERCET_WARPGROUP_MULTIPLY(bf16, "bf16", 128, 64, 64, 65, 66, 67, 68, 69, 70, 66, 67)
TERCET_WARPGROUP_MULTIPLY(f16, "f16", 128, 64, 64, 65, 66, 67, 68, 69, 70, 66, 67)
TERCET_WARPGROUP_MULTIPLY(bf16, "bf16", 192, 96, 96, 97, 98, 99, 100, 101, 102, 98, 99)
TERCET_WARPGROUP_MULTIPLY(f16, "f16", 192, 96, 96, 97, 98, 99, 100, 101, 102, 98, 99)
TERCET_WARPGROUP_MULTIPLY(bf16, "bf16", 256, 128, 128, 129, 130, 131, 132, 133, 134, 130, 131)
TERCET_WARPGROUP_MULTIPLY(f16, "f16", 256, 128, 128, 129, 130, 131, 132, 133, 134, 130, 131)

#undef TERCET_WARPGROUP_MULTIPLY

} // namespace tercet::dev
