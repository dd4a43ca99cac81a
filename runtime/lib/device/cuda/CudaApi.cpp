#include "CudaApi.h"

#include <dlfcn.h>

namespace tercet::rt::cuda {
namespace {

constexpr const char *libraryName = "libcuda.so.1";

template <typename... Args> Status unavailable(fmt::format_string<Args...> format, Args &&...args) {
  return Status::make(Code::deviceUnavailable, "there is no GPU to run on: {}",
                      fmt::format(format, std::forward<Args>(args)...));
}

Result<CudaApi> loadApi() {
  void *library = ::dlopen(libraryName, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return unavailable("the NVIDIA driver's {} cannot be loaded on this machine", libraryName);
  CudaApi api;
  const char *missing = nullptr;
#define TERCET_CUDA_LOAD(member, symbol, ...)                                                                          \
  api.member = reinterpret_cast<std::type_identity_t<__VA_ARGS__> *>(::dlsym(library, symbol));                        \
  missing = api.member || missing ? missing : symbol;
  TERCET_CUDA_FUNCTIONS(TERCET_CUDA_LOAD)
#undef TERCET_CUDA_LOAD
  if (missing)
    return unavailable("the NVIDIA driver lacks {}; drivers of CUDA 12.0 and later have it", missing);
  if (CuResult result = api.init(0))
    return unavailable("cuInit answers {}", api.describe(result));
  return api;
}

} // namespace

std::string CudaApi::describe(CuResult result) const {
  const char *name = nullptr, *text = nullptr;
  if (errorName(result, &name) != 0 || !name)
    return fmt::format("error {}", result);
  if (errorString(result, &text) != 0 || !text)
    return name;
  return fmt::format("{} ({})", name, text);
}

Status CudaApi::check(CuResult result, const char *function, Code code) const {
  if (result == 0)
    return {};
  return Status::make(code, "{} failed: {}", function, describe(result));
}

Result<const CudaApi *> CudaApi::get() {
  static const Result<CudaApi> api = loadApi(); // once per process; a driver does not appear while it runs
  if (!api.ok())
    return api.status().copy();
  return &*api;
}

} // namespace tercet::rt::cuda
