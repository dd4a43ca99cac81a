// readSelection: from a verified classification to its plain data.
#pragma once

#include "ReadRegion.h"
#include "tercet/dialect/reference/Program.h"

namespace tercet::reference {

/// Reads tercet.select with the scores that it ranks, or tercet.pattern. Errors as readRegion.
Result<Selection> readSelection(mlir::Operation *classification, const TableIndices &tables);

} // namespace tercet::reference
