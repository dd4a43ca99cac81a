// SpecText: what spec text may be before MLIR's parser sees it.
#pragma once

#include "tercet/Session.h"
#include "tercet/Status.h"

namespace tercet::compiler {

/// invalidSpec, with file, line and column, on text that is no text, is too large or nests too deep, or holds syntax of
/// MLIR that specs do not need and that can cost more stack or memory than the text is long, or reads other files.
Status checkSpecText(const Spec &spec);

} // namespace tercet::compiler
