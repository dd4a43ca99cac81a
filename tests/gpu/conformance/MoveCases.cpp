// Fragments, shuffles, byte permutations, small copies.
#include "Case.h"

namespace tercet::conformance {

namespace {

// Every lane gives the address of row l of 16 bytes, at a stride that shows which row was taken.
std::string matrixMove(bool loads, int tiles, bool transposed) {
  std::string address = "and.b32 %r2, %r0, 31; mad.lo.u32 %r3, %r2, 48, %r1;\n";
  std::string opcode = fmt::format("{}.sync.aligned.m8n8.x{}{}.shared.b16", loads ? "ldmatrix" : "stmatrix", tiles,
                                   transposed ? ".trans" : "");
  if (loads)
    return loadShared(1536, 32) + address + fmt::format("{} {}, [%r3];\n", opcode, listOf("r", 10, tiles)) +
           storeRegisters("r", 10, tiles);
  std::string fill;
  for (int i = 0; i < tiles; ++i)
    fill += fmt::format("mul.wide.u32 %rd3, %r0, 4; add.u64 %rd3, %rd3, %rd0; ld.global.u32 %r{}, [%rd3+{}];\n", 10 + i,
                        128 * i);
  std::string clear =
      "mov.u32 %r5, %r0;\nCLEAR: setp.ge.u32 %p0, %r5, 96; @%p0 bra CLEARED; shl.b32 %r6, %r5, 4; add.u32 "
      "%r6, %r6, %r1; mov.b32 %r7, 0; st.shared.v4.u32 [%r6], {%r7, %r7, %r7, %r7}; add.u32 %r5, %r5, 32; bra "
      "CLEAR;\nCLEARED: bar.sync 0;\n";
  return clear + fill + address + fmt::format("{} [%r3], {};\n", opcode, listOf("r", 10, tiles)) +
         storeShared(1536, 32);
}

std::string shuffle(const char *mode, int clamp) {
  // Value, lane operand and predicate of every lane.
  return fmt::format("mul.wide.u32 %rd3, %r0, 8; add.u64 %rd3, %rd3, %rd0; ld.global.v2.u32 {{%r2, %r3}}, [%rd3];\n"
                     "and.b32 %r3, %r3, 31;\nshfl.sync.{}.b32 %r4|%p0, %r2, %r3, {}, -1; selp.u32 %r5, 1, 0, %p0;\n",
                     mode, clamp) +
         storeRegisters("r", 4, 2);
}

} // namespace

void addMoves(std::vector<Case> &cases) {
  for (int tiles : {1, 2, 4})
    for (bool transposed : {false, true})
      cases.push_back({.name = fmt::format("ldmatrix-x{}{}", tiles, transposed ? "-trans" : ""),
                       .about = "which lane holds which element of 8 x 8 tiles",
                       .inBytes = 1536,
                       .outBytes = size_t(128 * tiles),
                       .body = matrixMove(true, tiles, transposed)});
  for (bool transposed : {false, true})
    cases.push_back({.name = fmt::format("stmatrix-x4{}", transposed ? "-trans" : ""),
                     .about = "which lane holds which element of 8 x 8 tiles",
                     .needs = 90,
                     .inBytes = 512,
                     .outBytes = 1536,
                     .body = matrixMove(false, 4, transposed)});
  struct Mode {
    const char *mode;
    int clamp;
  };
  for (Mode mode :
       {Mode{"bfly", 0x1f}, Mode{"bfly", 0x1807}, Mode{"up", 0x0}, Mode{"down", 0x101f}, Mode{"idx", 0x181f}})
    cases.push_back({.name = fmt::format("shfl-{}-{:x}", mode.mode, mode.clamp),
                     .about = "sources out of range and segments of shuffles",
                     .inBytes = 256,
                     .outBytes = 256,
                     .body = shuffle(mode.mode, mode.clamp)});
  cases.push_back(
      {.name = "prmt",
       .about = "bytes chosen, and signs replicated",
       .inBytes = 384,
       .outBytes = 128,
       .body = "mul.wide.u32 %rd3, %r0, 4; add.u64 %rd3, %rd3, %rd0; ld.global.u32 %r2, [%rd3]; ld.global.u32 %r3, "
               "[%rd3+128]; ld.global.u32 %r4, [%rd3+256];\nprmt.b32 %r5, %r2, %r3, %r4;\n" +
               storeRegisters("r", 5, 1)});
  // Thread t copies t % 17 of 16 bytes; the rest must be zeros.
  cases.push_back(
      {.name = "cp-async-zero-fill",
       .about = "a copy that reads fewer bytes than it writes",
       .inBytes = 512,
       .outBytes = 512,
       .body = "shl.b32 %r2, %r0, 4; add.u32 %r3, %r1, %r2; cvt.u64.u32 %rd3, %r2; add.u64 %rd3, %rd3, %rd0; "
               "rem.u32 %r4, %r0, 17;\ncp.async.cg.shared.global [%r3], [%rd3], 16, %r4;\n"
               "cp.async.commit_group; cp.async.wait_group 0;\n" +
               storeShared(512, 32)});
}

} // namespace tercet::conformance
