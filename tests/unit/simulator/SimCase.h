// A small kernel for a test: its body is given, the rest of the PTX is made around it.
#pragma once

#include "tercet/sim/Launch.h"

#include <fmt/format.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace tercet::test {

/// PTX around a body: registers %p, %h (16 bits), %r, %f, %d (64-bit) and %rd, and the parameters %rd0 = in and %rd1 = out,
/// pointers to 64-bit elements, one of each per thread (of the whole grid); %rd2 = 8 * thread number in the grid, %r0 = %tid.x.
inline std::string kernelText(std::string_view body, std::string_view declarations = "",
                              std::string_view directives = "") {
  return fmt::format(
      ".version 8.7\n.target sm_90a\n.address_size 64\n{}\n"
      ".visible .entry k(.param .u64 in, .param .u64 out)\n{}\n"
      "{{\n.reg .pred %p<16>; .reg .b16 %h<16>; .reg .b32 %r<64>; .reg .f32 %f<64>; .reg .f64 %d<16>; .reg .b64 "
      "%rd<32>;\n"
      "ld.param.u64 %rd0, [in]; ld.param.u64 %rd1, [out];\n"
      "mov.u32 %r0, %tid.x; mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mad.lo.u32 %r3, %r1, %r2, %r0;\n"
      "mul.wide.u32 %rd2, %r3, 8; add.u64 %rd0, %rd0, %rd2; add.u64 %rd1, %rd1, %rd2;\n{}\nret;\n}}\n",
      declarations, directives, body);
}

struct Run {
  Status status;
  sim::LaunchReport report;
  std::vector<uint64_t> out;
  std::string message() const { return status.ok() ? "ok" : status.message(); }
};

/// Parses and runs a kernel of kernelText; one 64-bit input and output per thread. Outputs start as all ones.
inline Run run(const std::string &text, sim::LaunchConfig config = {}, std::vector<uint64_t> in = {}) {
  Run result;
  auto module = sim::Module::parse(text);
  if (!module.ok()) {
    result.status = module.takeStatus();
    return result;
  }
  size_t threads = 1;
  for (int axis = 0; axis < 3; ++axis)
    threads *= size_t(config.grid[axis]) * config.block[axis];
  in.resize(threads);
  result.out.assign(threads, ~uint64_t{0});
  sim::Memory memory;
  uint64_t addresses[2] = {memory.adopt(std::as_writable_bytes(std::span(in)), "in"),
                           memory.adopt(std::as_writable_bytes(std::span(result.out)), "out")};
  auto report = sim::launch(*module, "k", config, std::as_bytes(std::span(addresses)), memory);
  if (report.ok())
    result.report = *report;
  else
    result.status = report.takeStatus();
  return result;
}

inline Run runBody(std::string_view body, sim::LaunchConfig config = {}, std::vector<uint64_t> in = {}) {
  return run(kernelText(body), config, std::move(in));
}

} // namespace tercet::test
