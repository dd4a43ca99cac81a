// A conformance case: a kernel of one instruction (and what feeds and stores it), its input, and how its output is compared.
//
// The simulator's outputs say what we believe; a GPU's outputs say what is so. Both are recorded in the same file format
// (Recording.h).
#pragma once

#include "tercet/rt/GpuDevice.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tercet::conformance {

/// What the seeded generator fills the input with.
enum class Fill : uint8_t {
  bits,       ///< 32 random bits
  floats,     ///< f32 of random sign, mantissa and moderate exponent, with zeros, denormals, infinities and NaN
  unitFloats, ///< f32 in [-1, 1)
  smallBf16,  ///< integers -4 to 4 as bf16: sums of products are exact in every order
  smallF16,
  smallTf32,
  smallS8,
  smallE4m3,
  randomBf16, ///< bf16 in [-2, 2): sums depend on their order
};

enum class Compare : uint8_t {
  bits,     ///< equal
  floats,   ///< f32 within `ulps`, or within `absolute`; NaN equals NaN
  relative, ///< f32 within `ulps` units of 2^-24 of the largest output
};

struct Case {
  std::string name;
  std::string about; ///< what it settles
  int needs = 80;    ///< architecture: 80, 90 or 900 (sm_90a alone)
  int threads = 32;
  size_t inBytes = 0, outBytes = 0;
  Fill fill = Fill::bits;
  std::string body; ///< PTX; see kernelText
  Compare compare = Compare::bits;
  double ulps = 0, absolute = 0;
  std::optional<rt::TensorMapDescription> map = {}; ///< its base is set to the input, or to the output
  bool mapOfOut = false;
};

/// All cases, by name in order. The names are the keys of recordings.
const std::vector<Case> &allCases();

/// PTX of a kernel `conformance`: the body finds %rd0 = in, %rd1 = out + 4 * outWords * %tid.x when it asks for it, %rd2 = the
/// tensor map, %r0 = %tid.x, %r1 = the start of shared memory (aligned to 1024), and registers %p, %h, %r, %f, %rd to use.
std::string kernelText(const Case &given);

/// The input's bytes: the same everywhere.
std::vector<uint8_t> inputOf(const Case &given);

// The tables, a file each.
void addMoves(std::vector<Case> &cases);
void addRounding(std::vector<Case> &cases);
void addAsync(std::vector<Case> &cases);
void addProducts(std::vector<Case> &cases);

// Pieces of bodies.

/// Copies the first `bytes` of the input (a multiple of 16) to shared memory at `to`, and makes them visible to all of the CTA and
/// to asynchronous copies and products (`isAsync`).
std::string loadShared(size_t bytes, int threads, size_t to = 0, bool isAsync = false);
/// Stores `bytes` of shared memory at `from` to the output.
std::string storeShared(size_t bytes, int threads, size_t from = 0);
/// Stores registers prefix + first .. of every thread, one after another.
std::string storeRegisters(const char *prefix, int first, int count);
/// "{%r4, %r5, ..}"
std::string listOf(const char *prefix, int first, int count);

} // namespace tercet::conformance
