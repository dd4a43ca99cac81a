// One instruction on given bits: what it leaves in its destination, in every lane of a full and of a partial warp.
#pragma once

#include "unit/simulator/SimCase.h"

#include <catch2/catch.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace tercet::test {

/// An instruction with its sources in registers 10, 11, 12 (%h, %r, %f, %d or %rd: all hold the same bits, as many as fit) and
/// its result in register 4 (or %p4), and the bits expected there.
struct OpcodeRow {
  const char *text;
  uint64_t a, b, c;
  uint64_t expected;
};

inline std::string opcodeBody(const OpcodeRow &row) {
  std::string text = row.text, body;
  uint64_t values[] = {row.a, row.b, row.c};
  for (int i = 0; i < 3; ++i)
    body += fmt::format("mov.b64 %rd{0}, {1}; mov.b64 %d{0}, %rd{0}; cvt.u32.u64 %r{0}, %rd{0}; mov.b32 %f{0}, %r{0}; "
                        "cvt.u16.u32 %h{0}, "
                        "%r{0}; setp.ne.u64 %p{0}, %rd{0}, 0;\n",
                        10 + i, fmt::format("{:#x}", values[i]));
  body += text + ";\n";
  if (text.find("%rd4") != std::string::npos)
    body += "mov.b64 %rd20, %rd4;";
  else if (text.find("%d4") != std::string::npos)
    body += "mov.b64 %rd20, %d4;";
  else if (text.find("%f4") != std::string::npos)
    body += "mov.b32 %r20, %f4; cvt.u64.u32 %rd20, %r20;";
  else if (text.find("%r4") != std::string::npos)
    body += "cvt.u64.u32 %rd20, %r4;";
  else if (text.find("%h4") != std::string::npos)
    body += "cvt.u64.u16 %rd20, %h4;";
  else
    body += "selp.b64 %rd20, 1, 0, %p4;";
  return body + "st.global.u64 [%rd1], %rd20;";
}

inline void checkRows(const std::vector<OpcodeRow> &rows) {
  for (const OpcodeRow &row : rows) {
    INFO(fmt::format("{} on {:#x}, {:#x}, {:#x}", row.text, row.a, row.b, row.c));
    std::string text = kernelText(opcodeBody(row));
    for (uint32_t threads : {32u, 5u}) {
      sim::LaunchConfig config;
      config.block = {threads, 1, 1};
      Run result = run(text, config);
      REQUIRE(result.message() == "ok");
      for (uint64_t out : result.out)
        if (out != row.expected)
          FAIL_CHECK(fmt::format("got {:#x}, expected {:#x}", out, row.expected));
    }
  }
}

} // namespace tercet::test
