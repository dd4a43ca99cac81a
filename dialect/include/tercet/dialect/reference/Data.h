// Data: seeded inputs for specs, for tests, `check` and `bench`. The generator is written out here, not taken from the
// standard library, so a seed gives the same data everywhere (normals go through libm's log and cos).
#pragma once

#include "tercet/Session.h"
#include "tercet/dialect/reference/Program.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tercet::reference {

/// Splittable counter-based random numbers: element i of a stream never depends on how many were drawn before.
class RandomStream {
public:
  RandomStream(uint64_t seed, std::string_view name);
  /// Uniform in (0, 1).
  double uniform(uint64_t index) const;
  /// Standard normal (Box-Muller).
  double normal(uint64_t index) const;

private:
  uint64_t key;
};

/// A tensor with its memory, 64-byte aligned. Movable, not copyable.
class OwnedTensor {
public:
  OwnedTensor() = default;
  /// Dense and row-major; every byte of the memory is `fill` (0xff: NaN in every float dtype).
  static OwnedTensor make(DType dtype, std::vector<int64_t> shape, int fill = 0);
  /// As make, with `padding[axis]` unused positions behind each extent of an axis: a strided view.
  static OwnedTensor makeStrided(DType dtype, std::vector<int64_t> shape, std::vector<int64_t> padding,
                                 int fill = 0xff);

  /// A [batch, heads, tokens, features] view of memory that is dense as [batch, tokens, heads, features].
  static OwnedTensor makeTokensFirst(DType dtype, std::vector<int64_t> shape, int fill = 0);

  const Tensor &view() const { return tensor; }
  size_t bytes() const { return size; }

private:
  struct Release {
    void operator()(std::byte *memory) const;
  };
  std::unique_ptr<std::byte[], Release> memory;
  size_t size = 0;
  Tensor tensor;
};

/// Sizes of a call; 0 stands for: heads of q (headsKV), tokens of q (tokensK), head dimension (valueDim).
struct Shape {
  int64_t batch = 1, heads = 1, headsKV = 0, tokensQ = 0, tokensK = 0, headDim = 0, valueDim = 0;
  std::vector<std::pair<std::string, double>> parameters = {}; ///< a token order may make blocks by these
  Shape resolved() const;
  /// Of a resolved shape.
  TableSizes forTables(const Program &program) const;
};

/// The shape of a table in made-up data; axes that name nothing get 16 entries.
std::vector<int64_t> tableShape(const Table &table, const TableSizes &sizes);

struct DataOptions {
  uint64_t seed = 0;
  DType dtype = DType::f32;
  double scale = 1;       ///< multiplies q and k
  double valueMean = 0.5; ///< added to v, so that a missing or doubled weight shows
  /// Mixed into unit-variance q and k: how much of each token is its cluster's direction, in [0, 1). Tokens of a run of
  /// 64 share one of 16 directions, so block selection has something to find. 0: independent normals.
  double structure = 0;
  double weightScale = 1;    ///< multiplies w, which has entries of variance 1/valueDim, and b, of variance 1
  bool withGradient = false; ///< also `do`, shaped as o: normal numbers
};

/// Named tensors with their memory.
struct Data {
  std::vector<std::pair<std::string, OwnedTensor>> tensors;
  /// Views of all tensors; borrowed from this.
  Arguments arguments() const;
  const Tensor &operator[](std::string_view name) const;
};

/// q, k, v of this shape in options.dtype, and the program's weights in f32: matrices [valueDim, valueDim] and biases
/// [valueDim], as the program uses them. Its tables: budgets around keep; choices of every branch in
/// turn; powers of two from 2^-8 for numbers per head alone;
/// other numbers normal; integers from 0 to 7, in ascending order along a last axis of tokens, at random elsewhere. Axes that
/// name nothing get 16 entries. Where asked for, `do`.
Data makeData(const Program &program, const Shape &shape, const DataOptions &options = {});

/// A byte that no right output holds: 0xff (NaN) for floats, 0x55 (no class) for classes.
int unwrittenByte(DType dtype);

/// Memory for the outputs that the program has: o in `dtype`, lse (f32), classes (i8), filled with the unwritten byte.
Data makeOutputs(const Program &program, const Shape &shape, DType dtype);

} // namespace tercet::reference
