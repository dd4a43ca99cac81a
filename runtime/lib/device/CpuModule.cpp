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

/// A library as it is opened: what is not handed to a module is given back, whatever is thrown meanwhile.
struct Opened {
  void *handle = nullptr;
  int descriptor = -1;
  std::string reason;

  Opened() = default;
  Opened(const Opened &) = delete;
  Opened &operator=(const Opened &) = delete;
  ~Opened() {
    if (handle)
      dlclose(handle);
    if (descriptor >= 0)
      ::close(descriptor);
  }
  void open(const std::string &path) {
    handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    const char *text = handle ? nullptr : dlerror();
    if (!handle)
      reason = text ? text : "unknown error";
  }
};

/// Removes a directory, and the one file in it, at the end.
struct PrivateDirectory {
  const std::string &path, &file;
  ~PrivateDirectory() {
    ::unlink(file.c_str());
    ::rmdir(path.c_str());
  }
};

void openAnonymous(Opened &opened, std::span<const uint8_t> code) {
  opened.descriptor = memfd_create("tercet-kernels", MFD_CLOEXEC);
  if (opened.descriptor < 0 || !writeFully(opened.descriptor, code))
    opened.reason = std::strerror(errno);
  else
    opened.open(fmt::format("/proc/self/fd/{}", opened.descriptor));
}

void openPrivateFile(Opened &opened, std::span<const uint8_t> code) {
  const char *base = std::getenv("TMPDIR");
  std::string directory = fmt::format("{}/tercet-XXXXXX", base && base[0] == '/' ? base : "/tmp"), path;
  path.reserve(directory.size() + std::strlen("/kernels.so"));
  if (!::mkdtemp(directory.data())) { // creates with mode 0700
    opened.reason = fmt::format("{}: {}", directory, std::strerror(errno));
    return;
  }
  path.append(directory).append("/kernels.so");
  PrivateDirectory removed{directory, path};
  if (Status status = writeFileAtomically(path, code, 0700); !status.ok())
    opened.reason = status.message();
  else
    opened.open(path);
}

} // namespace

Result<std::shared_ptr<CpuModule>> CpuModule::load(std::span<const uint8_t> code) {
  constexpr uint8_t elfMagic[] = {0x7f, 'E', 'L', 'F'};
  if (code.size() < sizeof(elfMagic) || std::memcmp(code.data(), elfMagic, sizeof(elfMagic)) != 0)
    return Status::make(Code::compileFailed, "the artifact's CPU code is not an ELF shared object");
  Opened anonymous, file;
  openAnonymous(anonymous, code);
  if (!anonymous.handle)
    openPrivateFile(file, code);
  Opened &opened = anonymous.handle ? anonymous : file;
  if (!opened.handle)
    return Status::make(Code::compileFailed, "the system's loader refuses the artifact's CPU code: {}", opened.reason)
        .note("anonymous file", anonymous.reason);
  std::unique_ptr<CpuModule> module(new CpuModule(opened.handle, opened.descriptor));
  opened.handle = nullptr;
  opened.descriptor = -1;
  return std::shared_ptr<CpuModule>(std::move(module));
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
