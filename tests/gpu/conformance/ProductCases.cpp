// Matrix products: where mma.sync and wgmma keep their elements, what descriptors mean, and how sums are rounded.
//
// For layouts the operands are small integers, so that every order of summing gives the same bits.
#include "Case.h"

namespace tercet::conformance {

namespace {

Case warpProduct(const char *name, const char *shape, int registersA, int registersB, int sums, Fill fill,
                 Compare compare = Compare::bits, double ulps = 0) {
  // A, B and C lie register by register, lane by lane.
  bool isFloat = std::string(shape).find(".f32.") != std::string::npos;
  std::string body = "mul.wide.u32 %rd3, %r0, 4; add.u64 %rd3, %rd3, %rd0;\n";
  int total = registersA + registersB;
  for (int i = 0; i < total; ++i)
    body += fmt::format("ld.global.b32 %r{}, [%rd3+{}];\n", 10 + i, 128 * i);
  for (int i = 0; i < sums; ++i)
    body += isFloat ? fmt::format("mov.f32 %f{}, 0f3F800000;\n", 10 + i) : fmt::format("mov.b32 %r{}, 0;\n", 30 + i);
  std::string list = listOf(isFloat ? "f" : "r", isFloat ? 10 : 30, sums);
  body += fmt::format("mma.sync.aligned.{} {}, {}, {}, {};\n", shape, list, listOf("r", 10, registersA),
                      listOf("r", 10 + registersA, registersB), list);
  return {.name = std::string("mma-") + name,
          .about = compare == Compare::bits ? "which lane holds which element of A, B and C" : "how sums are rounded",
          .inBytes = size_t(128 * total),
          .outBytes = size_t(128 * sums),
          .fill = fill,
          .body = body + storeRegisters(isFloat ? "f" : "r", isFloat ? 10 : 30, sums),
          .compare = compare,
          .ulps = ulps};
}

struct Warpgroup {
  const char *name, *about, *types; ///< "f32.bf16.bf16"
  int columns, depth;
  Fill fill;
  uint32_t leading, stride; ///< bytes
  int swizzle;              ///< as the descriptor has it: 0 none, 1 128 bytes, 2 64, 3 32
  bool aInRegisters = false, aMajor = false, bMajor = false;
  uint32_t startB = 16384, baseOffset = 0;
  Compare compare = Compare::bits;
  double ulps = 0;
};

// The input fills shared memory whole; A begins at 0 and B at startB; whatever the descriptors reach is multiplied.
Case warpgroupProduct(const Warpgroup &given) {
  constexpr size_t bytes = 49152;
  std::string types = given.types, sum = types.substr(0, 3);
  bool isFloat = sum == "f32", transposes = given.depth == 16;
  int sums = sum == "f16" ? given.columns / 4 : given.columns / 2;
  auto descriptor = [&](uint32_t start, uint32_t baseOffset) {
    return uint64_t{start >> 4} | uint64_t{given.leading >> 4} << 16 | uint64_t{given.stride >> 4} << 32 |
           uint64_t{baseOffset} << 49 | uint64_t(given.swizzle) << 62;
  };
  std::string body = loadShared(bytes, 128, 0, true);
  if (given.aInRegisters)
    for (int i = 0; i < 4; ++i)
      body +=
          fmt::format("shl.b32 %r5, %r0, 2; add.u32 %r5, %r5, %r1; ld.shared.b32 %r{}, [%r5+{}];\n", 10 + i, 512 * i);
  for (int i = 0; i < sums; ++i)
    body += isFloat ? fmt::format("mov.f32 %f{}, 0f00000000;\n", i) : fmt::format("mov.b32 %r{}, 0;\n", 100 + i);
  body += fmt::format(
      "shr.u32 %r6, %r1, 4; cvt.u64.u32 %rd9, %r6; mov.b64 %rd10, {:#x}; mov.b64 %rd11, {:#x}; add.u64 %rd10, "
      "%rd10, %rd9; add.u64 %rd11, %rd11, %rd9; setp.ne.u32 %p1, 0, 1;\nwgmma.fence.sync.aligned;\n",
      descriptor(0, 0), descriptor(given.startB, given.baseOffset));
  std::string list = listOf(isFloat ? "f" : "r", isFloat ? 0 : 100, sums);
  body += fmt::format("wgmma.mma_async.sync.aligned.m64n{}k{}.{} {}, {}, %rd11, %p1", given.columns, given.depth, types,
                      list, given.aInRegisters ? listOf("r", 10, 4) : "%rd10");
  if (sum != "s32")
    body += ", 1, 1";
  if (transposes)
    body += given.aInRegisters ? fmt::format(", {}", int(given.bMajor))
                               : fmt::format(", {}, {}", int(given.aMajor), int(given.bMajor));
  body += ";\nwgmma.commit_group.sync.aligned; wgmma.wait_group.sync.aligned 0;\n";
  return {.name = std::string("wgmma-") + given.name,
          .about = given.about,
          .needs = 900,
          .threads = 128,
          .inBytes = bytes,
          .outBytes = size_t(512 * sums),
          .fill = given.fill,
          .body = body + storeRegisters(isFloat ? "f" : "r", isFloat ? 0 : 100, sums),
          .compare = given.compare,
          .ulps = given.ulps};
}

} // namespace

void addProducts(std::vector<Case> &cases) {
  cases.push_back(warpProduct("bf16", "m16n8k16.row.col.f32.bf16.bf16.f32", 4, 2, 4, Fill::smallBf16));
  cases.push_back(warpProduct("f16", "m16n8k16.row.col.f32.f16.f16.f32", 4, 2, 4, Fill::smallF16));
  cases.push_back(warpProduct("f16-sums", "m16n8k16.row.col.f16.f16.f16.f16", 4, 2, 2, Fill::smallF16));
  cases.push_back(warpProduct("tf32", "m16n8k8.row.col.f32.tf32.tf32.f32", 4, 2, 4, Fill::smallTf32));
  cases.push_back(warpProduct("s8", "m16n8k32.row.col.s32.s8.s8.s32", 4, 2, 4, Fill::smallS8));
  cases.push_back(warpProduct("bf16-rounding", "m16n8k16.row.col.f32.bf16.bf16.f32", 4, 2, 4, Fill::randomBf16,
                              Compare::relative, 32));

  const char *descriptors = "what the descriptor's offsets and swizzle mean", *types = "types and fragments";
  const Warpgroup products[] = {
      {"k-major-128", descriptors, "f32.bf16.bf16", 16, 16, Fill::smallBf16, 16, 1024, 1},
      {"k-major-64", descriptors, "f32.bf16.bf16", 16, 16, Fill::smallBf16, 16, 512, 2},
      {"k-major-32", descriptors, "f32.bf16.bf16", 16, 16, Fill::smallBf16, 16, 256, 3},
      {"k-major-plain", descriptors, "f32.bf16.bf16", 16, 16, Fill::smallBf16, 2048, 128, 0},
      {"mn-major-128", descriptors, "f32.bf16.bf16", 128, 16, Fill::smallBf16, 2048, 1024, 1, false, true, true},
      {"mn-major-64", descriptors, "f32.bf16.bf16", 64, 16, Fill::smallBf16, 1024, 512, 2, false, true, true},
      {"mn-major-32", descriptors, "f32.bf16.bf16", 32, 16, Fill::smallBf16, 512, 256, 3, false, true, true},
      {"mn-major-plain", descriptors, "f32.bf16.bf16", 32, 16, Fill::smallBf16, 2048, 256, 0, false, true, true},
      {"b-n-major-only", descriptors, "f32.f16.f16", 64, 16, Fill::smallF16, 2048, 1024, 1, false, false, true},
      {"step-in-span", "that 32 bytes further in a span is the next 16 of K", "f32.bf16.bf16", 16, 16, Fill::smallBf16,
       16, 1024, 1, true, false, false, 16384 + 32},
      {"base-offset", "what the base offset does", "f32.bf16.bf16", 16, 16, Fill::smallBf16, 16, 1024, 1, true, false,
       false, 16384 + 256, 2},
      {"a-registers", types, "f32.bf16.bf16", 64, 16, Fill::smallBf16, 16, 1024, 1, true},
      {"f16-sums", types, "f16.f16.f16", 32, 16, Fill::smallF16, 16, 1024, 1},
      {"tf32", types, "f32.tf32.tf32", 16, 8, Fill::smallTf32, 16, 1024, 1},
      {"s8", types, "s32.s8.s8", 16, 32, Fill::smallS8, 16, 1024, 1},
      {"e4m3", types, "f32.e4m3.e4m3", 16, 32, Fill::smallE4m3, 16, 1024, 1},
      {"rounding", "how sums are rounded", "f32.bf16.bf16", 16, 16, Fill::randomBf16, 16, 1024, 1, false, false, false,
       16384, 0, Compare::relative, 32},
  };
  for (const Warpgroup &product : products)
    cases.push_back(warpgroupProduct(product));
}

} // namespace tercet::conformance
