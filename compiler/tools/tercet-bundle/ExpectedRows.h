// ExpectedRows: what the oracle says about some rows of a case, and how far a target may be off.
#pragma once

#include "BundleCases.h"

#include "tercet/compiler/SpecInfo.h"
#include "tercet/compiler/TensorFile.h"
#include "tercet/dialect/reference/Contract.h"

namespace tercet::bundle {

struct ExpectedRows {
  reference::Data inputs;
  std::vector<reference::OwnedTensor> made; ///< expected_rows, expected_o, ..
  compiler::NamedTensors tensors;           ///< inputs and expectations, borrowed from the others
  std::vector<std::string> inputNames;
  std::vector<reference::OutputVerdict> bounds; ///< "o" and perhaps "lse"; only the bounds count
  bool hasClasses = false;
};

/// Evaluates the case in fp64 on all threads; compares at most 256 rows, the first and last of every head among them.
Result<ExpectedRows> expectRows(const compiler::SpecInfo &spec, const Case &entry);

} // namespace tercet::bundle
