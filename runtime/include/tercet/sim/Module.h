// Module: PTX text, parsed and decoded once, ready to be launched many times.
#pragma once

#include "tercet/Status.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tercet::sim {

struct Program;

/// One parameter of a kernel: where it lies in the parameter bytes of a launch.
struct ParameterInfo {
  std::string name;
  uint32_t offset = 0;
  uint32_t bytes = 0;
};

/// What a caller may ask about a kernel before launching it. Sizes in bytes; thread counts are 0 where none is stated.
struct KernelInfo {
  std::string name;
  std::vector<ParameterInfo> parameters;
  uint32_t parameterBytes = 0;
  uint32_t staticSharedBytes = 0;
  uint32_t instructions = 0;
  std::array<uint32_t, 3> maxThreads{};
  std::array<uint32_t, 3> requiredThreads{};
  std::array<uint32_t, 3> requiredCluster{};
};

/// Immutable and cheap to copy; may be launched from many threads at once.
class Module {
public:
  /// Parses the PTX that NVRTC emits. Everything unknown (a directive, an opcode, a modifier, an operand of the wrong
  /// width) is an error that names the line: invalidArgument. Never crashes; time and memory are bounded by the text.
  static Result<Module> parse(std::string_view ptx);

  const std::vector<KernelInfo> &kernels() const;
  /// The kernel of this name, or null.
  const KernelInfo *kernel(std::string_view name) const;
  /// The `.target`, such as "sm_90a".
  const std::string &target() const;
  const Program &program() const { return *decoded; }

private:
  explicit Module(std::shared_ptr<const Program> program) : decoded(std::move(program)) {}
  std::shared_ptr<const Program> decoded;
};

} // namespace tercet::sim
