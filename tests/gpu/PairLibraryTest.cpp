// The device library's side of regions over pairs (docs/spec.md#regions), function by function, against plain C++.
#include "gpu/DeviceRun.h"

#include <cmath>
#include <limits>
#include <random>

using namespace tercet;
using test::DeviceRun;

namespace {

const std::string head = "#include \"tercet/dev/pair.cuh\"\n#include \"tercet/dev/pair_tile.cuh\"\n"
                         "using namespace tercet::dev;\nextern \"C\" __global__ void k(";

/// f(a, b) for every pair of numbers at which 32-bit arithmetic goes wrong.
std::vector<int32_t> evaluate(const std::string &expression, const std::vector<int32_t> &numbers) {
  DeviceRun run(head +
                "const i32 *x, i32 *out, index n) {\n  const Int a(x[blockIdx.x]), b(x[threadIdx.x]);\n"
                "  out[blockIdx.x * n + threadIdx.x] = Int(" +
                expression + ").value;\n}\n");
  std::vector<int32_t> in = numbers, out(numbers.size() * numbers.size());
  auto count = static_cast<uint32_t>(numbers.size());
  run.add(in).add(out).add(count);
  sim::LaunchConfig config;
  config.grid = {count, 1, 1};
  config.block = {count, 1, 1};
  run.run(config);
  return out;
}

int32_t wrap(int64_t x) { return static_cast<int32_t>(static_cast<uint32_t>(x)); }
int64_t floorDivide(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

/// The largest relative error of a function of one f32 over `inputs`, and the largest absolute one.
std::pair<double, double> errorOf(const std::string &expression, const std::vector<float> &inputs,
                                  double (*exact)(double)) {
  DeviceRun run(head +
                "const float *in, float *out) {\n  const float x = in[blockIdx.x * 32 + threadIdx.x];\n"
                "  out[blockIdx.x * 32 + threadIdx.x] = " +
                expression + ";\n}\n");
  std::vector<float> in = inputs;
  in.resize((in.size() + 31) / 32 * 32, 1.0f);
  std::vector<float> out(in.size());
  run.add(in).add(out);
  sim::LaunchConfig config;
  config.grid = {static_cast<uint32_t>(in.size() / 32), 1, 1};
  run.run(config);
  double relative = 0, absolute = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    double want = exact(inputs[i]), off = std::fabs(out[i] - want);
    INFO(expression << " of " << inputs[i] << " is " << out[i] << ", not " << want);
    CHECK(std::isfinite(out[i]));
    absolute = std::max(absolute, off);
    relative = std::max(relative, want == 0 ? off : off / std::fabs(want));
  }
  return {relative, absolute};
}

std::vector<float> spread(float low, float high, bool negative) {
  std::vector<float> numbers;
  for (float x = low; x < high; x *= 1.0173f) {
    numbers.push_back(x);
    if (negative)
      numbers.push_back(-x);
  }
  return numbers;
}

} // namespace

TEST_CASE("integers of regions wrap, and divisions by 0 and wide shifts have a value", "[nvrtc]") {
  constexpr int32_t least = std::numeric_limits<int32_t>::min(), most = std::numeric_limits<int32_t>::max();
  const std::vector<int32_t> numbers = {0,    1,    -1,    2,     -2,       3,         -3,   7,     -7,
                                        31,   32,   33,    -32,   64,       100,       -101, 65535, 65536,
                                        1000, 4096, 46341, -9999, 12345678, -87654321, most, least, least + 1};
  struct Operation {
    const char *text;
    int32_t (*exact)(int64_t, int64_t);
  };
  const Operation operations[] = {
      {"a + b", [](int64_t a, int64_t b) { return wrap(a + b); }},
      {"a - b", [](int64_t a, int64_t b) { return wrap(a - b); }},
      {"a * b", [](int64_t a, int64_t b) { return wrap(a * b); }},
      {"a / b", [](int64_t a, int64_t b) { return b == 0 ? 0 : wrap(a / b); }},
      {"a % b", [](int64_t a, int64_t b) { return b == 0 ? 0 : wrap(a % b); }},
      {"floor_div(a, b)", [](int64_t a, int64_t b) { return b == 0 ? 0 : wrap(floorDivide(a, b)); }},
      {"ceil_div(a, b)", [](int64_t a, int64_t b) { return b == 0 ? 0 : wrap(-floorDivide(-a, b)); }},
      {"a << b", [](int64_t a, int64_t b) { return b < 0 || b > 31 ? 0 : wrap(a << b); }},
      {"a >> b", [](int64_t a, int64_t b) { return wrap(a >> (b < 0 || b > 31 ? 31 : b)); }},
      {"smaller(a, b)", [](int64_t a, int64_t b) { return wrap(std::min(a, b)); }},
      {"larger(a, b)", [](int64_t a, int64_t b) { return wrap(std::max(a, b)); }},
      {"magnitude(a)", [](int64_t a, int64_t) { return wrap(std::abs(a)); }},
      {"a < b", [](int64_t a, int64_t b) { return a < b ? -1 : 0; }},
      {"static_cast<u32>(a) < static_cast<u32>(b)",
       [](int64_t a, int64_t b) { return static_cast<uint32_t>(a) < static_cast<uint32_t>(b) ? -1 : 0; }},
  };
  for (const Operation &operation : operations) {
    std::vector<int32_t> results = evaluate(operation.text, numbers);
    for (size_t i = 0; i < numbers.size(); ++i)
      for (size_t j = 0; j < numbers.size(); ++j) {
        INFO(operation.text << " with a = " << numbers[i] << ", b = " << numbers[j]);
        CHECK(results[i * numbers.size() + j] == operation.exact(numbers[i], numbers[j]));
      }
  }
}

TEST_CASE("index divisions that stay in 32 bits round as their names say", "[nvrtc]") {
  const std::vector<int32_t> numbers = {1, -1, 2, -2, 3, -3, 64, -100, 101, 2147483647, -2147483647 - 1};
  const std::string a = "index(a.value)", b = "index(b.value)";
  const std::pair<std::string, std::string> functions[] = {{"signed_quotient", "A / B"},
                                                           {"floor_div", "(A - (A % B + B) % B) / B"},
                                                           {"signed_ceil_div", "-((-A - (-A % B + B) % B) / B)"}};
  for (const auto &[function, wide] : functions) {
    std::string exact;
    for (char c : wide)
      exact += c == 'A' ? a : c == 'B' ? b : std::string(1, c);
    INFO(function);
    for (int32_t same : evaluate(function + "(" + a + ", " + b + ") == " + exact, numbers))
      CHECK(same == -1);
  }
}

TEST_CASE("functions of regions are as exact as they say", "[nvrtc]") {
  auto tangents = spread(1e-6f, 12, true);
  CHECK(errorOf("hyperbolic_tangent(x)", tangents, std::tanh).first < std::exp2(-22));
  auto exponents = spread(1e-6f, 80, true);
  CHECK(errorOf("exponential(x)", exponents, std::exp).first < std::exp2(-21));
  auto positive = spread(1e-30f, 1e30f, false);
  CHECK(errorOf("square_root(x)", positive, std::sqrt).first < std::exp2(-22));
  CHECK(errorOf("inverse_root(x)", positive, [](double x) { return 1 / std::sqrt(x); }).first < std::exp2(-22));
  CHECK(errorOf("divide(3.0f, x)", positive, [](double x) { return 3 / x; }).first < std::exp2(-21));
  CHECK(errorOf("logf(x)", positive, std::log).first < std::exp2(-21));
}

TEST_CASE("what is not finite passes through the functions of regions", "[nvrtc]") {
  const std::vector<std::pair<const char *, float (*)(float)>> functions = {
      {"hyperbolic_tangent(x)", std::tanh},
      {"exponential(x)", std::exp},
      {"maximum(x, 1.0f)", [](float x) { return std::isnan(x) ? x : std::max(x, 1.0f); }},
      {"minimum(x, 1.0f)", [](float x) { return std::isnan(x) ? x : std::min(x, 1.0f); }},
      {"static_cast<float>(to_int(x))",
       [](float x) {
         return std::isnan(x)         ? 0.0f
                : x >= 2147483648.0f  ? 2147483648.0f
                : x <= -2147483648.0f ? -2147483648.0f
                                      : std::trunc(x);
       }},
  };
  std::vector<float> in(32, 0.0f);
  const float special[] = {HUGE_VALF, -HUGE_VALF, NAN, 0.0f, -0.0f, 1e30f, -1e30f, 3e9f, -3e9f, 200, -200, 88, -104};
  std::copy(std::begin(special), std::end(special), in.begin());
  for (const auto &[text, exact] : functions) {
    DeviceRun run(head + "const float *in, float *out) {\n  const float x = in[threadIdx.x];\n  out[threadIdx.x] = " +
                  text + ";\n}\n");
    std::vector<float> out(32);
    run.add(in).add(out);
    run.run({});
    for (size_t i = 0; i < std::size(special); ++i) {
      float want = exact(special[i]);
      if (std::fabs(want) < 1e-30f) // denormals are 0
        want = 0;
      INFO(text << " of " << special[i] << " is " << out[i] << ", not " << want);
      CHECK((std::isnan(want)   ? std::isnan(out[i])
             : std::isinf(want) ? out[i] == want
                                : std::fabs(out[i] - want) <= 1e-6f * std::fabs(want)));
    }
  }
}

TEST_CASE("an index outside of an axis reads its nearest end", "[nvrtc]") {
  DeviceRun run(head + "const i32 *table, i32 *out, index rows, index cols, index stride) {\n"
                       "  const Int i(static_cast<i32>(blockIdx.x) - 3), j(static_cast<i32>(threadIdx.x) - 5);\n"
                       "  out[blockIdx.x * 32 + threadIdx.x] = element(table, clamped(i, {rows, stride}) + clamped(j, "
                       "{cols, 2})).value;\n}\n");
  std::vector<int32_t> table(4 * 40), out(10 * 32);
  for (size_t i = 0; i < table.size(); ++i)
    table[i] = static_cast<int32_t>(i);
  run.add(table).add(out).add(4).add(20).add(40);
  sim::LaunchConfig config;
  config.grid = {10, 1, 1};
  run.run(config);
  for (int i = 0; i < 10; ++i)
    for (int j = 0; j < 32; ++j)
      CHECK(out[static_cast<size_t>(i * 32 + j)] == std::clamp(i - 3, 0, 3) * 40 + std::clamp(j - 5, 0, 19) * 2);
}

TEST_CASE("bodies over tiles see the positions of their elements", "[nvrtc]") {
  DeviceRun run(head + "float *out, index row, index col) {\n"
                       "  const Tile<16, 64> own = splat<16, 64>(0.5f), seen = map_pairs([&](float x, Int i, Int j) {\n"
                       "    return x + static_cast<float>(i * Int(1000) + j);\n  }, own, row, col);\n"
                       "  for (int e = 0; e < seen.size; ++e)\n"
                       "    out[(seen.first_row() + 8 * seen.row_of(e)) * 64 + seen.col_of(e)] = seen.at[e];\n}\n");
  std::vector<float> out(16 * 64);
  run.add(out).add(320).add(128);
  run.run({});
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < 64; ++j)
      CHECK(out[static_cast<size_t>(i * 64 + j)] == static_cast<float>((320 + i) * 1000 + 128 + j) + 0.5f);
}
