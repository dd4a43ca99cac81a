// Conversions and approximations: bit for bit where PTX defines the result, within the error that PTX states where it does not.
#include "Case.h"

namespace tercet::conformance {

namespace {

constexpr int perThread = 8, threads = 32;

// f(x) of 256 numbers; the instruction takes %f2 (and %f3, the number 256 further on) and gives %f4 or %r4.
Case unary(const char *name, const char *about, const char *instruction, Compare compare = Compare::bits,
           double ulps = 0, Fill fill = Fill::floats, int needs = 80) {
  std::string body =
      fmt::format("mul.wide.u32 %rd3, %r0, {}; add.u64 %rd4, %rd3, %rd0; add.u64 %rd5, %rd3, %rd1;\n", 4 * perThread);
  bool isFloat = std::string(instruction).find("%f4") != std::string::npos;
  for (int i = 0; i < perThread; ++i)
    body += fmt::format(
        "ld.global.f32 %f2, [%rd4+{0}]; ld.global.f32 %f3, [%rd4+{1}]; {2};{3} st.global.b32 [%rd5+{0}], %r4;\n", 4 * i,
        4 * i + 4 * perThread * threads, instruction, isFloat ? " mov.b32 %r4, %f4;" : "");
  return {.name = name,
          .about = about,
          .needs = needs,
          .inBytes = 8 * perThread * threads,
          .outBytes = 4 * perThread * threads,
          .fill = fill,
          .body = body,
          .compare = compare,
          .ulps = ulps};
}

} // namespace

void addRounding(std::vector<Case> &cases) {
  const char *exact = "rounding that PTX defines",
             *approximate = "an approximation: PTX states its error, not its bits";
  cases.push_back(unary("cvt-rn-bf16x2-f32", exact, "cvt.rn.bf16x2.f32 %r4, %f2, %f3"));
  cases.push_back(unary("cvt-rz-bf16x2-f32", exact, "cvt.rz.bf16x2.f32 %r4, %f2, %f3"));
  cases.push_back(unary("cvt-rn-f16x2-f32", exact, "cvt.rn.f16x2.f32 %r4, %f2, %f3"));
  cases.push_back(unary("cvt-rna-tf32-f32", exact, "cvt.rna.tf32.f32 %r4, %f2"));
  cases.push_back(unary("cvt-rni-s32-f32", "rounding and saturation to integers", "cvt.rni.s32.f32 %r4, %f2"));
  cases.push_back(unary("cvt-rzi-u32-f32", "rounding and saturation to integers", "cvt.rzi.u32.f32 %r4, %f2"));
  cases.push_back(unary("fma-rn-ftz", "flushed denormals of inputs and results", "fma.rn.ftz.f32 %f4, %f2, %f3, %f2"));
  cases.push_back(unary("fma-rn", exact, "fma.rn.f32 %f4, %f2, %f3, %f2"));
  cases.push_back(unary("div-rn", exact, "div.rn.f32 %f4, %f2, %f3"));
  cases.push_back(unary("rcp-rn", exact, "rcp.rn.f32 %f4, %f2"));
  cases.push_back(unary("sqrt-rn", exact, "sqrt.rn.f32 %f4, %f2"));
  cases.push_back(unary("max-f32", "NaN and signed zeros in max", "max.f32 %f4, %f2, %f3"));
  cases.push_back(unary("max-nan-f32", "NaN and signed zeros in max.NaN", "max.NaN.f32 %f4, %f2, %f3"));
  cases.push_back(unary("ex2-approx-ftz", approximate, "ex2.approx.ftz.f32 %f4, %f2", Compare::floats, 2));
  cases.push_back(
      unary("ex2-approx-ftz-unit", approximate, "ex2.approx.ftz.f32 %f4, %f2", Compare::floats, 2, Fill::unitFloats));
  cases.push_back(unary("lg2-approx-ftz", approximate, "lg2.approx.ftz.f32 %f4, %f2", Compare::floats, 4));
  cases.back().absolute = 0x1p-22; // what PTX states near 1
  cases.push_back(unary("rcp-approx-ftz", approximate, "rcp.approx.ftz.f32 %f4, %f2", Compare::floats, 1));
  cases.push_back(unary("rsqrt-approx-ftz", approximate, "rsqrt.approx.ftz.f32 %f4, %f2", Compare::floats, 2));
  cases.push_back(unary("tanh-approx", approximate, "tanh.approx.f32 %f4, %f2", Compare::floats, 8192));
}

} // namespace tercet::conformance
