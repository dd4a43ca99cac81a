// SpecSource: specs for tests, as the text that a Session compiles and as the program that the oracle evaluates.
#pragma once

#include "tercet/Session.h"
#include "tercet/dialect/reference/Program.h"

#include <map>
#include <string>

namespace tercet::test {

/// A built-in spec (dialect/specs/NAME.mlir) or one written for tests (tests/support/specs/NAME.mlir), with settings.
/// "NAME:RULE" is the spec with its top_fraction replaced by another rule of keep. "NAME@TEXT" is the spec under a token
/// order with text `prefix`, `suffix` or `none`: runtime parameters grid_t, grid_y and grid_x, static ones tile_t, tile_y and
/// tile_x: by default 4, 2 and 2, or 4, 4 and 4 where blocks are 64 by default.
/// "NAME/SIZE" is the spec with query blocks of this size.
/// Aborts when there is none: tests name specs that exist.
Spec specNamed(const std::string &name, std::map<std::string, std::string> settings = {});

/// The spec as the oracle sees it. Aborts with the diagnostics when it is not legal.
reference::Program programOf(const Spec &spec);

} // namespace tercet::test
