// NVRTC's C interface, by hand: ten functions, so that no CUDA header is needed to build.
#include "tercet/compiler/cuda/Nvrtc.h"

#include "tercet/compiler/cuda/DeviceLibrary.h"

#include <algorithm>
#include <chrono>
#include <dlfcn.h>

namespace tercet::compiler {

struct Nvrtc::Api {
  using Program = void *;
  void *library = nullptr;
  int (*version)(int *major, int *minor) = nullptr;
  int (*countArchs)(int *count) = nullptr;
  int (*archs)(int *numbers) = nullptr;
  const char *(*errorText)(int result) = nullptr;
  int (*create)(Program *program, const char *text, const char *name, int headers, const char *const *headerTexts,
                const char *const *headerNames) = nullptr;
  int (*destroy)(Program *program) = nullptr;
  int (*compile)(Program program, int options, const char *const *optionTexts) = nullptr;
  int (*logSize)(Program, size_t *) = nullptr;
  int (*log)(Program, char *) = nullptr;
  int (*ptxSize)(Program, size_t *) = nullptr;
  int (*ptx)(Program, char *) = nullptr;
  int (*cubinSize)(Program, size_t *) = nullptr;
  int (*cubin)(Program, char *) = nullptr;

  ~Api() {
    if (library)
      dlclose(library);
  }

  /// Whether all functions are there.
  bool bind() {
    auto find = [this](auto &function, const char *name) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
      return function != nullptr;
    };
    return find(version, "nvrtcVersion") && find(countArchs, "nvrtcGetNumSupportedArchs") &&
           find(archs, "nvrtcGetSupportedArchs") && find(errorText, "nvrtcGetErrorString") &&
           find(create, "nvrtcCreateProgram") && find(destroy, "nvrtcDestroyProgram") &&
           find(compile, "nvrtcCompileProgram") && find(logSize, "nvrtcGetProgramLogSize") &&
           find(log, "nvrtcGetProgramLog") && find(ptxSize, "nvrtcGetPTXSize") && find(ptx, "nvrtcGetPTX") &&
           find(cubinSize, "nvrtcGetCUBINSize") && find(cubin, "nvrtcGetCUBIN");
  }

  static std::string text(Program program, int (*size)(Program, size_t *), int (*get)(Program, char *)) {
    size_t bytes = 0;
    if (size(program, &bytes) != 0 || bytes == 0)
      return {};
    std::string text(bytes, '\0');
    return get(program, text.data()) == 0 ? text : std::string();
  }
};

Nvrtc::Nvrtc() : api(std::make_unique<Api>()) {}
Nvrtc::~Nvrtc() = default;

Result<std::shared_ptr<const Nvrtc>> Nvrtc::load(std::span<const std::string> candidates) {
  std::string tried;
  auto note = [&](const std::string &candidate, const std::string &why) {
    tried += fmt::format("{}{} ({})", tried.empty() ? "" : "; ", candidate, why);
  };
  for (const std::string &candidate : candidates) {
    std::shared_ptr<Nvrtc> nvrtc(new Nvrtc);
    Api &api = *nvrtc->api;
    api.library = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!api.library) {
      note(candidate, "cannot be loaded");
      continue;
    }
    if (!api.bind() || api.version(&nvrtc->major, &nvrtc->minor) != 0) {
      note(candidate, "is not NVRTC");
      continue;
    }
    if (std::pair(nvrtc->major, nvrtc->minor) < std::pair(12, 8)) {
      note(candidate, "is version " + nvrtc->version() + ", needed is 12.8");
      continue;
    }
    Dl_info info;
    bool known = dladdr(reinterpret_cast<void *>(api.version), &info) != 0 && info.dli_fname;
    nvrtc->libraryPath = known ? info.dli_fname : candidate;
    int count = 0;
    if (api.countArchs(&count) == 0 && count > 0) {
      nvrtc->supported.resize(static_cast<size_t>(count));
      api.archs(nvrtc->supported.data());
    }
    return std::shared_ptr<const Nvrtc>(std::move(nvrtc));
  }
  return Status::make(Code::unsupportedTarget,
                      "CUDA needs NVRTC 12.8 or newer, which is not on this machine; TERCET_NVRTC can name the library")
      .note("tried", tried);
}

Result<std::shared_ptr<const Nvrtc>> Nvrtc::get() {
  static const auto loaded = load(candidates());
  if (!loaded.ok())
    return loaded.status().copy();
  return *loaded;
}

Result<NvrtcOutput> Nvrtc::compile(const std::string &name, const std::string &text, const std::string &arch,
                                   bool ptxOnly) const {
  int number = std::atoi(arch.c_str() + std::min<size_t>(3, arch.size()));
  if (std::find(supported.begin(), supported.end(), number) == supported.end())
    return Status::make(Code::unsupportedTarget, "NVRTC {} does not compile for {}; it does for sm_{}", version(), arch,
                        fmt::join(supported, ", sm_"));
  std::vector<std::string> headers;
  std::vector<const char *> headerTexts, headerNames;
  for (const DeviceFile &file : deviceFiles()) {
    headers.emplace_back(file.name);
    headers.emplace_back(file.text);
  }
  for (size_t i = 0; i < headers.size(); i += 2) {
    headerNames.push_back(headers[i].c_str());
    headerTexts.push_back(headers[i + 1].c_str());
  }
  auto start = std::chrono::steady_clock::now();
  Api::Program program = nullptr;
  int result = api->create(&program, text.c_str(), (name + ".cu").c_str(), static_cast<int>(headerNames.size()),
                           headerTexts.data(), headerNames.data());
  if (result != 0)
    return Status::make(Code::compileFailed, "NVRTC could not start on kernel {}: {}", name, api->errorText(result));
  std::string target = "-arch=" + (ptxOnly ? "compute_" + arch.substr(3) : arch); // a virtual architecture ends in PTX
  const char *options[] = {target.c_str(), "-std=c++20", "--ptxas-options=-v"};
  result = api->compile(program, static_cast<int>(std::size(options)), options);
  NvrtcOutput output;
  output.log = Api::text(program, api->logSize, api->log);
  if (!output.log.empty())
    output.log.pop_back();
  if (result == 0) {
    output.ptx = Api::text(program, api->ptxSize, api->ptx);
    if (!output.ptx.empty())
      output.ptx.pop_back();
    output.cubin = Api::text(program, api->cubinSize, api->cubin);
  }
  api->destroy(&program);
  output.compileMs = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  if (result != 0 || (output.cubin.empty() && !ptxOnly))
    return Status::make(Code::compileFailed, "NVRTC {} rejected kernel {} for {}: {}", version(), name, arch,
                        api->errorText(result))
        .note("log", output.log)
        .note("source", text)
        .note("options", fmt::format("{}", fmt::join(options, " ")));
  return output;
}

} // namespace tercet::compiler
