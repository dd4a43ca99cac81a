// PairProgram: a region over pairs as plain data: straight-line code over registers (docs/spec.md#regions). No MLIR here;
// dialect/lib/reference/ReadRegion.h makes one from the IR.
#pragma once

#include "tercet/dialect/reference/Number.h"

#include <array>
#include <cstdint>
#include <vector>

namespace tercet::reference {

/// The outcomes of a comparison for which it holds: `ule` is unordered | less | equal.
enum OutcomeBits : uint8_t { lessBit = 1, equalBit = 2, greaterBit = 4, unorderedBit = 8 };

/// What `extent` asks for.
enum class ExtentOf : uint8_t { query, key, head, kvHead };

/// One instruction. Integers are 32-bit and wrap; booleans are the integers 0 and 1.
struct PairOp {
  enum class Kind : uint8_t {
    // Sources: a number or integer (constant or parameter), an extent, an element of a table.
    number,
    integer,
    extent,
    readNumber,
    readInteger,
    // Integers.
    addI,
    subI,
    mulI,
    divI,
    remI,
    floorDivI,
    ceilDivI,
    minI,
    maxI,
    andI,
    orI,
    xorI,
    shiftLeft,
    shiftRight,
    absI,
    compareSigned,
    compareUnsigned,
    // Both: the second operand where the first holds, else the third.
    select,
    toNumber,
    toInteger,
    // Numbers. maximum and minimum give NaN where an operand is NaN, the Or forms the other operand.
    addF,
    subF,
    mulF,
    divF,
    negF,
    maximum,
    minimum,
    maximumOr,
    minimumOr,
    compareF,
    exp,
    exp2,
    log,
    log2,
    tanh,
    sqrt,
    rsqrt,
    absF,
    floor,
    ceil,
    fma
  };
  Kind kind = Kind::number;
  std::array<int, 4> operands{-1, -1, -1, -1}; ///< registers; the indices of a read
  Number value;                                ///< number, integer
  uint8_t outcomes = 0;                        ///< compare: OutcomeBits
  ExtentOf extent = ExtentOf::query;
  size_t table = 0; ///< read: index into Program::tables
};

/// Registers 0 to 3 hold batch, query head, and the positions of query and key (tokens, or blocks); register 4 the score,
/// where the region gets one; register firstOp + n the value of instruction n.
struct PairProgram {
  enum Register { batch = 0, head = 1, query = 2, key = 3, score = 4, firstOp = 5 };
  std::vector<PairOp> ops;
  int result = -1;
};

} // namespace tercet::reference
