// The sgemm of oneDNN and of OpenBLAS, each held to the calling thread.
//
// OpenBLAS picks its kernels once, when it is loaded, and an old version does not know a new processor: set
// OPENBLAS_CORETYPE (SkylakeX or Cooperlake with AVX-512) before the process starts; run.sh does.
#include "FlashBaseline.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#ifdef TERCET_BENCH_ONEDNN
#include <oneapi/dnnl/dnnl.h>
extern "C" void omp_set_num_threads(int); // of OpenMP's runtime, whose header each compiler has its own
#endif
#ifdef TERCET_BENCH_OPENBLAS
#include <cblas.h>
#endif

namespace tercet::bench {

#ifdef TERCET_BENCH_ONEDNN
static void oneDnnSgemm(bool transposed, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t aStride,
                        const float *b, int64_t bStride, float beta, float *c, int64_t cStride) {
  static thread_local const bool alone =
      (omp_set_num_threads(1), true); // per thread: OpenMP keeps one setting for each
  (void)alone;
  dnnl_sgemm('N', transposed ? 'T' : 'N', m, n, k, alpha, a, aStride, b, bStride, beta, c, cStride);
}

static std::string_view oneDnnIsa() {
  switch (dnnl_get_effective_cpu_isa()) {
  case dnnl_cpu_isa_sse41:
    return "SSE4.1";
  case dnnl_cpu_isa_avx:
    return "AVX";
  case dnnl_cpu_isa_avx2:
  case dnnl_cpu_isa_avx2_vnni:
    return "AVX2";
  case dnnl_cpu_isa_avx512_core:
  case dnnl_cpu_isa_avx512_core_vnni:
  case dnnl_cpu_isa_avx512_core_bf16:
    return "AVX-512";
  default:
    return "newest";
  }
}
#endif

#ifdef TERCET_BENCH_OPENBLAS
static void openBlasSgemm(bool transposed, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                          int64_t aStride, const float *b, int64_t bStride, float beta, float *c, int64_t cStride) {
  auto narrow = [](int64_t x) { return static_cast<blasint>(x); };
  cblas_sgemm(CblasRowMajor, CblasNoTrans, transposed ? CblasTrans : CblasNoTrans, narrow(m), narrow(n), narrow(k),
              alpha, a, narrow(aStride), b, narrow(bStride), beta, c, narrow(cStride));
}
#endif

std::vector<GemmLibrary> gemmLibraries() {
  std::vector<GemmLibrary> libraries;
#ifdef TERCET_BENCH_ONEDNN
  const dnnl_version_t *version = dnnl_version();
  libraries.push_back(
      {fmt::format("oneDNN {}.{}.{} {}", version->major, version->minor, version->patch, oneDnnIsa()), oneDnnSgemm});
#endif
#ifdef TERCET_BENCH_OPENBLAS
  openblas_set_num_threads(1);
  std::string_view name = OPENBLAS_VERSION; // " OpenBLAS 0.3.21 "
  name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
  name = name.substr(0, name.find_last_not_of(' ') + 1);
  libraries.push_back({fmt::format("{} {}", name, openblas_get_corename()), openBlasSgemm});
#endif
  return libraries;
}

} // namespace tercet::bench
