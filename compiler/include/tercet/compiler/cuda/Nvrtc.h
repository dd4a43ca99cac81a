// Nvrtc: CUDA C++ to PTX and cubin by NVIDIA's run-time compiler, loaded at run time. Needs no GPU and no driver.
//
// Where the library is looked for, first hit wins: TERCET_NVRTC (a path; if set, nothing else is tried); lib/nvrtc
// beside the folder of this binary (where tercet.sh puts the wheel's or links a toolkit's); the system loader's path;
// /usr/local/cuda/lib64. Versions before 12.8 are passed over.
#pragma once

#include "tercet/Jit.h"
#include "tercet/Status.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tercet::compiler {

/// What NVRTC makes of one translation unit.
struct NvrtcOutput {
  std::string ptx, cubin;
  std::string log; ///< warnings and ptxas -v
  double compileMs = 0;
};

class Nvrtc {
public:
  /// The library of this process, loaded at the first call. unsupportedTarget with what was tried where there is none.
  /// Thread-safe.
  static Result<std::shared_ptr<const Nvrtc>> get();
  /// Loads the first of `candidates` (paths or sonames) that is an NVRTC from 12.8 on.
  static Result<std::shared_ptr<const Nvrtc>> load(std::span<const std::string> candidates);
  /// The candidates of this process, in order.
  static std::vector<std::string> candidates();
  ~Nvrtc();

  const std::string &path() const { return libraryPath; }
  /// "13.0"
  std::string version() const { return fmt::format("{}.{}", major, minor); }
  /// Architectures that it compiles for, as numbers: 75, 80, .., 121.
  const std::vector<int> &architectures() const { return supported; }

  /// Compiles `text` with the device library at hand. arch: "sm_80", "sm_90a". unsupportedTarget where NVRTC does not
  /// know the architecture; compileFailed with its log as a note. Thread-safe. A crash of NVRTC is a crash of this
  /// process: compileInChild survives it. ptxOnly: stops before ptxas, in half the time; no cubin, and nothing about
  /// registers in the log.
  Result<NvrtcOutput> compile(const std::string &name, const std::string &text, const std::string &arch,
                              bool ptxOnly = false) const;

  Nvrtc(const Nvrtc &) = delete;
  Nvrtc &operator=(const Nvrtc &) = delete;

private:
  struct Api;
  Nvrtc();

  std::unique_ptr<Api> api;
  std::string libraryPath;
  int major = 0, minor = 0;
  std::vector<int> supported;
};

/// Nvrtc::compile in a child process (the program tercet-nvrtc beside this binary): a crash of NVRTC, or more than
/// `seconds`, is compileFailed. unsupportedTarget where there is no NVRTC or no such program. Thread-safe.
Result<NvrtcOutput> compileInChild(const std::string &name, const std::string &text, const std::string &arch,
                                   double seconds = 60);

/// What the log of a compile says about one kernel: registers, spills, stack, static shared memory, ptxas notes.
KernelResources parseNvrtcLog(std::string_view log, std::string_view kernel);

/// Why a kernel with these resources must not be used: spills, a stack, or a ptxas note that means serialised products
/// or ignored register counts (C7507 .. C7520). Empty if it may.
std::string refusalOf(const KernelResources &resources);

} // namespace tercet::compiler
