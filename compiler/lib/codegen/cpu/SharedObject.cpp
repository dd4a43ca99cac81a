// Object -> shared object by LLD as a library, through anonymous files: no temporary files, no linker installed.
#include "ObjectCode.h"

#include "lld/Common/Driver.h"
#include "llvm/Support/raw_ostream.h"

#include <sys/mman.h>
#include <unistd.h>

#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace tercet;

namespace {
/// A file without a name that /proc/self/fd can open again.
struct AnonymousFile {
  explicit AnonymousFile(const char *name) : descriptor(memfd_create(name, MFD_CLOEXEC)) {}
  ~AnonymousFile() {
    if (descriptor >= 0)
      close(descriptor);
  }
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor); }
  int descriptor;
};
} // namespace

static bool writeAll(int descriptor, const std::vector<uint8_t> &bytes) {
  for (size_t done = 0; done < bytes.size();) {
    ssize_t count = write(descriptor, bytes.data() + done, bytes.size() - done);
    if (count <= 0)
      return false;
    done += static_cast<size_t>(count);
  }
  return true;
}

Result<std::vector<uint8_t>> codegen::linkSharedObject(const std::vector<uint8_t> &object) {
  static std::mutex lld;
  std::lock_guard lock(lld);
  AnonymousFile input("tercet-object"), output("tercet-module");
  if (input.descriptor < 0 || output.descriptor < 0 || !writeAll(input.descriptor, object))
    return Status::make(Code::internal, "cannot make an anonymous file for the linker");
  std::string inputPath = input.path(), outputPath = output.path(), log;
  llvm::raw_string_ostream stream(log);
  std::vector<const char *> arguments{"ld.lld", "-shared", "-nostdlib", "--no-undefined", "-znow", "-zrelro", "--no-mmap-output-file",
                                      "--threads=1", "--hash-style=gnu", "--strip-all", "-o", outputPath.c_str(), inputPath.c_str()};
  lld::Result result = lld::lldMain(arguments, stream, stream, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0)
    return Status::make(Code::compileFailed, "the linker rejected generated code").note("log", log);
  // LLD replaces or rewrites its output; either way the path names it now.
  off_t size = lseek(output.descriptor, 0, SEEK_END);
  std::vector<uint8_t> code(size > 0 ? static_cast<size_t>(size) : 0);
  if (code.empty() || pread(output.descriptor, code.data(), code.size(), 0) != size)
    return Status::make(Code::compileFailed, "the linker wrote no shared object").note("log", log);
  return code;
}
