// readRegion: from a verified region over pairs to the instructions that the oracle interprets; and the parameters of
// ops.
#pragma once

#include "tercet/Status.h"
#include "tercet/dialect/TercetDialect.h"
#include "tercet/dialect/reference/PairProgram.h"

#include <map>
#include <string>

namespace tercet::reference {

/// The parameter as a number, a flag as 0 or 1; `whenAbsent` where the operand is null.
Number readNumber(mlir::Value operand, double whenAbsent);

/// The index of each table argument in Program::tables, by name.
using TableIndices = std::map<std::string, size_t>;

/// Reads the region of a mask, a block set or a score. invalidSpec on an op that has no meaning here.
Result<PairProgram> readRegion(mlir::Region &region, const TableIndices &tables);

} // namespace tercet::reference
