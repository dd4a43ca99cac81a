// One case of the shared table on one backend.
#pragma once

#include "support/Backend.h"
#include "support/Case.h"

namespace tercet::test {

/// Runs a case: its outputs keep the numerics contract (docs/numerics.md), and memory between their elements is as it was.
void checkCase(Backend &backend, const Case &entry);

} // namespace tercet::test
