// One instruction per kernel, for comparing a GPU with the simulator bit by bit (docs/gpu-bundle.md). A line of two slashes, a
// colon and a name begins a unit that is compiled alone, behind the lines before the first one. A warp runs it: lane l reads words in[8 l ..] and
// writes words out[8 l ..]; s is shared memory, filled with in[] before.
typedef unsigned u32;
#define KERNEL(name)                                                                                                   \
  extern "C" __global__ void __launch_bounds__(32) name(const u32 *__restrict__ in, u32 *__restrict__ out)
#define LANE u32 l = threadIdx.x, *o = out + 8 * l; const u32 *a = in + 8 * l; (void)a; (void)o
#define SHARED                                                                                                         \
  __shared__ __align__(128) u32 s[512];                                                                               \
  for (u32 i = threadIdx.x; i < 512; i += 32) s[i] = in[i];                                                            \
  __syncwarp()
__device__ u32 shared_address(const void *p) { return (u32)__cvta_generic_to_shared(p); }

//: cvt_rn_bf16x2_f32
KERNEL(cvt_rn_bf16x2_f32) { LANE; for (int i = 0; i < 4; ++i) asm volatile("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(o[i]) : "f"(__uint_as_float(a[2 * i])), "f"(__uint_as_float(a[2 * i + 1]))); }
//: cvt_rn_f16x2_f32
KERNEL(cvt_rn_f16x2_f32) { LANE; for (int i = 0; i < 4; ++i) asm volatile("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(o[i]) : "f"(__uint_as_float(a[2 * i])), "f"(__uint_as_float(a[2 * i + 1]))); }
//: ex2_approx_ftz_f32
KERNEL(ex2_approx_ftz_f32) { LANE; for (int i = 0; i < 8; ++i) { float x; asm volatile("ex2.approx.ftz.f32 %0, %1;" : "=f"(x) : "f"(__uint_as_float(a[i]))); o[i] = __float_as_uint(x); } }
//: lg2_approx_ftz_f32
KERNEL(lg2_approx_ftz_f32) { LANE; for (int i = 0; i < 8; ++i) { float x; asm volatile("lg2.approx.ftz.f32 %0, %1;" : "=f"(x) : "f"(__uint_as_float(a[i]))); o[i] = __float_as_uint(x); } }
//: rcp_approx_ftz_f32
KERNEL(rcp_approx_ftz_f32) { LANE; for (int i = 0; i < 8; ++i) { float x; asm volatile("rcp.approx.ftz.f32 %0, %1;" : "=f"(x) : "f"(__uint_as_float(a[i]))); o[i] = __float_as_uint(x); } }
//: rcp_rn_f32
KERNEL(rcp_rn_f32) { LANE; for (int i = 0; i < 8; ++i) { float x; asm volatile("rcp.rn.f32 %0, %1;" : "=f"(x) : "f"(__uint_as_float(a[i]))); o[i] = __float_as_uint(x); } }
//: div_rn_f32
KERNEL(div_rn_f32) { LANE; for (int i = 0; i < 4; ++i) { float x; asm volatile("div.rn.f32 %0, %1, %2;" : "=f"(x) : "f"(__uint_as_float(a[i])), "f"(__uint_as_float(a[i + 4]))); o[i] = __float_as_uint(x); } }
//: fma_rn_f32
KERNEL(fma_rn_f32) { LANE; for (int i = 0; i < 4; ++i) { float x; asm volatile("fma.rn.f32 %0, %1, %2, %3;" : "=f"(x) : "f"(__uint_as_float(a[i])), "f"(__uint_as_float(a[i + 1])), "f"(__uint_as_float(a[i + 4]))); o[i] = __float_as_uint(x); } }
//: max_f32
KERNEL(max_f32) { LANE; for (int i = 0; i < 4; ++i) { float x; asm volatile("max.f32 %0, %1, %2;" : "=f"(x) : "f"(__uint_as_float(a[i])), "f"(__uint_as_float(a[i + 4]))); o[i] = __float_as_uint(x); } }
//: cvt_rna_tf32_f32
KERNEL(cvt_rna_tf32_f32) { LANE; for (int i = 0; i < 8; ++i) asm volatile("cvt.rna.tf32.f32 %0, %1;" : "=r"(o[i]) : "f"(__uint_as_float(a[i]))); }
//: shfl_bfly
KERNEL(shfl_bfly) { LANE; for (int i = 0; i < 5; ++i) o[i] = __shfl_xor_sync(~0u, a[i], 1 << i); }
//: shfl_idx
KERNEL(shfl_idx) { LANE; for (int i = 0; i < 8; ++i) o[i] = __shfl_sync(~0u, a[i], (int)a[(i + 1) & 7]); }
//: shfl_up_down
KERNEL(shfl_up_down) { LANE; for (int i = 0; i < 4; ++i) { o[i] = __shfl_up_sync(~0u, a[i], 1u << i); o[i + 4] = __shfl_down_sync(~0u, a[i], 1u << i); } }
//: vote_ballot
KERNEL(vote_ballot) { LANE; for (int i = 0; i < 8; ++i) o[i] = __ballot_sync(~0u, a[i] & 1); }
//: prmt
KERNEL(prmt) { LANE; for (int i = 0; i < 6; ++i) o[i] = __byte_perm(a[i], a[i + 1], a[i + 2]); }
//: popc_clz_brev
KERNEL(popc_clz_brev) { LANE; for (int i = 0; i < 2; ++i) { o[i] = __popc(a[i]); o[i + 2] = __clz(a[i]); o[i + 4] = __brev(a[i]); o[i + 6] = __ffs(a[i]); } }
//: ldmatrix_x4
KERNEL(ldmatrix_x4) { LANE; SHARED; asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(o[0]), "=r"(o[1]), "=r"(o[2]), "=r"(o[3]) : "r"(shared_address(s + 4 * ((l * 7) & 63)))); }
//: ldmatrix_x4_trans
KERNEL(ldmatrix_x4_trans) { LANE; SHARED; asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(o[0]), "=r"(o[1]), "=r"(o[2]), "=r"(o[3]) : "r"(shared_address(s + 4 * ((l * 5) & 63)))); }
//: ldmatrix_x2
KERNEL(ldmatrix_x2) { LANE; SHARED; asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];" : "=r"(o[0]), "=r"(o[1]) : "r"(shared_address(s + 4 * ((l * 3) & 63)))); }
//: mma_m16n8k16_bf16
KERNEL(mma_m16n8k16_bf16) { LANE; float c[4] = {1, 2, 3, 4}; asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};" : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(a[4]), "r"(a[5])); for (int i = 0; i < 4; ++i) o[i] = __float_as_uint(c[i]); }
//: mma_m16n8k16_f16
KERNEL(mma_m16n8k16_f16) { LANE; float c[4] = {1, 2, 3, 4}; asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};" : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(a[4]), "r"(a[5])); for (int i = 0; i < 4; ++i) o[i] = __float_as_uint(c[i]); }
//: mma_m16n8k8_tf32
KERNEL(mma_m16n8k8_tf32) { LANE; float c[4] = {1, 2, 3, 4}; asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};" : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(a[4]), "r"(a[5])); for (int i = 0; i < 4; ++i) o[i] = __float_as_uint(c[i]); }
//: cp_async_zero_fill
KERNEL(cp_async_zero_fill) { LANE; SHARED; u32 left = l % 3 == 0 ? 16 : l % 3 == 1 ? 8 : 0; asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(s + 4 * l)), "l"(in + 512 + 4 * l), "r"(left)); asm volatile("cp.async.commit_group;"); asm volatile("cp.async.wait_group 0;"); __syncwarp(); for (int i = 0; i < 4; ++i) o[i] = s[4 * l + i]; }
//: atomic_add_u32
KERNEL(atomic_add_u32) { LANE; SHARED; atomicAdd(&s[a[0] & 15], a[1]); __syncwarp(); o[0] = s[l & 15]; }
//: cvt_f32_s32_s64
KERNEL(cvt_f32_s32_s64) { LANE; for (int i = 0; i < 4; ++i) { o[i] = __float_as_uint((float)(int)a[i]); o[i + 4] = __float_as_uint((float)(long long)(((unsigned long long)a[i] << 32) | a[i + 4])); } }
//: cvt_f32_f64
KERNEL(cvt_f32_f64) { LANE; for (int i = 0; i < 4; ++i) o[i] = __float_as_uint((float)__longlong_as_double(((unsigned long long)(a[i] & 0xc7ffffff) << 32) | a[i + 4])); }
