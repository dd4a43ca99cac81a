// PackRows: rows of a pack's call as the oracle has them, and how far a target may be off.
#pragma once

#include "SpecSource.h"

#include "tercet/autotune/Pack.h"

namespace tercet::cli {

/// Fills expected, bounds and kept of a pack whose call is set. artifact: any of its candidates, whose arguments are those of all. At most 64
/// rows, the first and last of every head among them, in fp64 on all threads; the bounds are the numerics contract's at these rows.
Status expectRows(const LoadedSpec &spec, const Artifact &artifact, tune::Pack &pack);

} // namespace tercet::cli
