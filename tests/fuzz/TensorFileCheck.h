// TensorFileCheck: what holds of every tensor that is read from a file, in whichever format.
#pragma once

#include "FileFormats.h"
#include "Target.h"

namespace tercet::fuzz {

/// `location`: what a parser said of `file`. Checks a refusal, or reads the tensor and sends it through both writers and
/// readers.
void checkTensorFile(std::vector<uint8_t> file, const Result<compiler::TensorLocation> &location);

} // namespace tercet::fuzz
