// The f32 ops of bodies over pairs against the standard library, on every CPU level of this machine.
#include "CompiledBody.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string_view>

using namespace tercet;
using namespace tercet::test;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity(), notANumber = std::numeric_limits<float>::quiet_NaN();

struct Function {
  const char *op;
  std::function<double(double)> expected;
  double low, high; ///< of the arguments that are sampled
  double units;     ///< most units in the last place
};

/// 250 arguments from low to high, and special ones.
std::vector<float> argumentsOf(const Function &function) {
  std::vector<float> x = {0, -0.0f, infinity, -infinity, notANumber, 1};
  for (int step = 0; x.size() < CompiledBody::rows * CompiledBody::cols; ++step)
    x.push_back(static_cast<float>(function.low + (function.high - function.low) * step / 249));
  return x;
}

double unitsBetween(float got, double expected) {
  float nearest = static_cast<float>(expected);
  if (std::isnan(expected) || std::isnan(got))
    return std::isnan(expected) == std::isnan(got) ? 0 : infinity;
  if (std::isinf(nearest) || std::fabs(nearest) < std::numeric_limits<float>::min()) // denormals may be flushed
    return nearest == got || (std::fabs(nearest) < 1e-37f && std::fabs(got) < 1e-37f) ? 0 : infinity;
  double unit = std::nextafter(std::fabs(nearest), infinity) - std::fabs(nearest);
  return std::fabs(got - expected) / unit;
}

} // namespace

TEST_CASE("functions of bodies are as exact as fp32 allows, and right at the ends", "[codegen]") {
  auto floor = [](double x) { return std::floor(x); };
  // Portable code neither fuses nor rounds in hardware: two more units for the functions with long polynomials.
  const Function functions[] = {
      {"math.exp", [](double x) { return std::exp(x); }, -100, 90, 3},
      {"math.exp", [](double x) { return std::exp(x); }, -1, 1, 3},
      {"math.exp2", [](double x) { return std::exp2(x); }, -130, 130, 3},
      {"math.log", [](double x) { return std::log(x); }, 1e-3, 30, 3},
      {"math.log", [](double x) { return std::log(x); }, -2, 3e38, 3},
      {"math.log", [](double x) { return std::log(x); }, 0.99, 1.01, 3},
      {"math.log2", [](double x) { return std::log2(x); }, 1e-3, 1e9, 3},
      {"math.tanh", [](double x) { return std::tanh(x); }, -12, 12, 2},
      {"math.tanh", [](double x) { return std::tanh(x); }, -1e-3, 1e-3, 2},
      {"math.sqrt", [](double x) { return std::sqrt(x); }, -1, 1e6, 1},
      {"math.rsqrt", [](double x) { return 1 / std::sqrt(x); }, 1e-6, 1e6, 2},
      {"math.absf", [](double x) { return std::fabs(x); }, -5, 5, 0},
      {"math.floor", floor, -5, 5, 0},
      {"math.floor", floor, -3e9, 3e9, 0},
      {"math.ceil", [](double x) { return std::ceil(x); }, -5, 5, 0},
  };
  for (CpuLevel level : runnableLevels())
    for (const Function &function : functions) {
      std::string op = function.op;
      CompiledBody body(level, "%y = " + op + " %x : f32");
      std::vector<float> x = argumentsOf(function), got = body.run(x, {0, 0, 0, 0}, std::vector<float>(64));
      for (size_t index = 0; index < x.size(); ++index) {
        INFO(cpuLevelName(level) << " " << op << "(" << x[index] << ") = " << got[index] << ", expected "
                                 << function.expected(x[index]));
        CHECK(unitsBetween(got[index], function.expected(x[index])) <= function.units);
        if (op == "math.tanh" && !std::isnan(x[index]))
          CHECK(std::fabs(got[index]) <= 1);
      }
    }
}

TEST_CASE("functions of what is the same along a row are computed as scalars", "[codegen]") {
  for (CpuLevel level : runnableLevels()) {
    CompiledBody body(level, R"(%e = math.exp %a : f32
                                %t = math.tanh %e : f32
                                %l = math.log %e : f32
                                %s = arith.addf %t, %l : f32
                                %y = arith.addf %s, %x : f32)");
    std::vector<float> a = {-2, 0, 0.5f, 3}, got = body.run(std::vector<float>(256, 1), a, std::vector<float>(64));
    for (int64_t row = 0; row < 4; ++row)
      for (int64_t col = 0; col < 64; ++col)
        CHECK(got[row * 64 + col] == Approx(std::tanh(std::exp(a[row])) + a[row] + 1).epsilon(1e-6));
  }
}

TEST_CASE("minima and maxima keep NaN or leave it, as their names say", "[codegen]") {
  const std::vector<float> values = {-infinity, -3, 0, 2.5f, infinity, notANumber, 7, 7};
  struct Extreme {
    const char *op;
    bool isMax, keepsNaN;
  };
  for (CpuLevel level : runnableLevels())
    for (const Extreme &extreme : {Extreme{"arith.maximumf", true, true}, Extreme{"arith.minimumf", false, true},
                                   Extreme{"arith.maxnumf", true, false}, Extreme{"arith.minnumf", false, false}}) {
      CompiledBody body(level, "%y = " + std::string(extreme.op) + " %x, %b : f32");
      std::vector<float> x(256), b(64);
      for (size_t index = 0; index < 256; ++index)
        x[index] = values[index / 8 % 8];
      for (size_t col = 0; col < 64; ++col)
        b[col] = values[col % 8];
      std::vector<float> got = body.run(x, {0, 0, 0, 0}, b);
      for (size_t index = 0; index < 256; ++index) {
        float p = x[index], q = b[index % 64];
        float expected = extreme.isMax ? std::fmax(p, q) : std::fmin(p, q);
        if (extreme.keepsNaN && (std::isnan(p) || std::isnan(q)))
          expected = notANumber;
        INFO(cpuLevelName(level) << " " << extreme.op << "(" << p << ", " << q << ") = " << got[index]);
        CHECK((std::isnan(expected) ? std::isnan(got[index]) : got[index] == expected));
      }
    }
}

// The other side then takes one comparison less.
TEST_CASE("a side of an extreme that is a number by its ops leaves NaN of the other side what it is", "[codegen]") {
  const float notANumber = std::numeric_limits<float>::quiet_NaN();
  for (CpuLevel level : runnableLevels())
    for (const char *op : {"maximumf", "minimumf", "maxnumf", "minnumf"})
      for (bool isFirst : {false, true}) {
        std::string sides = isFirst ? "%known, %x" : "%x, %known";
        CompiledBody body(level, fmt::format("%whole = arith.sitofp %j : i32 to f32\n%half = arith.constant 0.5 : f32\n"
                                             "%known = arith.mulf %whole, %half : f32\n%y = arith.{} {} : f32",
                                             op, sides));
        std::vector<float> x(256, notANumber), none(64, 0.0f);
        for (size_t index = 0; index < 256; index += 3)
          x[index] = static_cast<float>(index % 7) * 5;
        std::vector<float> got = body.run(x, {0, 0, 0, 0}, none);
        bool isMax = std::string_view(op).starts_with("max"), keepsNaN = !std::string_view(op).ends_with("numf");
        for (size_t index = 0; index < 256; ++index) {
          float known = static_cast<float>(index % 64) / 2;
          float expected = isMax ? std::fmax(x[index], known) : std::fmin(x[index], known);
          INFO(cpuLevelName(level) << " " << op << "(" << sides << ") at " << index << " = " << got[index]);
          CHECK((keepsNaN && std::isnan(x[index]) ? std::isnan(got[index]) : got[index] == expected));
        }
      }
}

TEST_CASE("a division by what may be zero is a division, whatever flags an op carries", "[codegen]") {
  for (CpuLevel level : runnableLevels()) {
    CompiledBody body(level, "%y = arith.divf %x, %b fastmath<fast> : f32");
    std::vector<float> got = body.run(std::vector<float>(256, 1), {0, 0, 0, 0}, std::vector<float>(64, 0));
    CHECK(got[0] == infinity);
    got = body.run(std::vector<float>(256, infinity), {0, 0, 0, 0}, std::vector<float>(64, 3));
    CHECK(got[0] == infinity);
  }
}
