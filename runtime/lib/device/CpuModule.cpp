// Loading of shared objects from memory.
//
// The loader knows libraries by path: while one is loaded from /proc/self/fd/N, another dlopen of the same path returns
// the old one. So a module keeps its descriptor open for its lifetime, which keeps N its own.
#include "tercet/rt/CpuModule.h"

#include "tercet/AtomicFile.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

namespace tercet::rt {
namespace {

struct Opened {
  void *handle = nullptr;
  int descriptor = -1;
  std::string reason;
};

std::string loaderError() {
  const char *text = dlerror();
  return text ? text : "unknown error";
}

Opened openAnonymous(std::span<const uint8_t> code) {
  Opened opened;
  opened.descriptor = memfd_create("tercet-kernels", MFD_CLOEXEC);
  if (opened.descriptor < 0 || !writeFully(opened.descriptor, code)) {
    opened.reason = std::strerror(errno);
  } else {
    opened.handle = dlopen(fmt::format("/proc/self/fd/{}", opened.descriptor).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!opened.handle)
      opened.reason = loaderError();
  }
  if (!opened.handle && opened.descriptor >= 0) {
    ::close(opened.descriptor);
    opened.descriptor = -1;
  }
  return opened;
}

Opened openPrivateFile(std::span<const uint8_t> code) {
  Opened opened;
  const char *base = std::getenv("TMPDIR");
  std::string directory = fmt::format("{}/tercet-XXXXXX", base && base[0] == '/' ? base : "/tmp");
  if (!::mkdtemp(directory.data())) { // creates with mode 0700
    opened.reason = fmt::format("{}: {}", directory, std::strerror(errno));
    return opened;
  }
  std::string path = directory + "/kernels.so";
  if (Status status = writeFileAtomically(path, code, 0700); !status.ok()) {
    opened.reason = status.message();
  } else {
    opened.handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!opened.handle)
      opened.reason = loaderError();
    ::unlink(path.c_str());
  }
  ::rmdir(directory.c_str());
  return opened;
}

} // namespace

Result<std::shared_ptr<CpuModule>> CpuModule::load(std::span<const uint8_t> code) {
  constexpr uint8_t elfMagic[] = {0x7f, 'E', 'L', 'F'};
  if (code.size() < sizeof(elfMagic) || std::memcmp(code.data(), elfMagic, sizeof(elfMagic)) != 0)
    return Status::make(Code::compileFailed, "the artifact's CPU code is not an ELF shared object");
  Opened opened = openAnonymous(code);
  std::string first = opened.reason;
  if (!opened.handle)
    opened = openPrivateFile(code);
  if (!opened.handle)
    return Status::make(Code::compileFailed, "the system's loader refuses the artifact's CPU code: {}", opened.reason)
        .note("anonymous file", first);
  return std::shared_ptr<CpuModule>(new CpuModule(opened.handle, opened.descriptor));
}

CpuModule::~CpuModule() {
  dlclose(handle);
  if (descriptor >= 0)
    ::close(descriptor);
}

CpuFunction CpuModule::find(const std::string &name) const {
  return reinterpret_cast<CpuFunction>(dlsym(handle, name.c_str()));
}

} // namespace tercet::rt
