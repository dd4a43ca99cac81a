// MemoryProbe: the rate at which this machine's threads read memory together, the other half of a floor beside the
// FMA peak.
#pragma once

namespace tercet::cli {

/// Bytes per second, all threads reading buffers of their own that no cache holds; the best of a few passes. Takes some
/// tens of milliseconds.
double measureReadBandwidth(int threads);

} // namespace tercet::cli
