// What a manifest may ask for: generous against what compilers write, small against what a damaged or hostile file could
// claim.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tercet {

inline constexpr int deepestNesting = 16;
inline constexpr int deepestBody = 3;
inline constexpr size_t longestName = 256, longestText = 4096, longestSpec = 1 << 20;
inline constexpr size_t mostArguments = 64, mostNodes = 256, mostSlots = 128, mostKernels = 256, mostModules = 32;
inline constexpr size_t mostAxes = 5, mostNotes = 64, mostRemarks = 1024; ///< of a tensor map; of a kernel; of a module
inline constexpr int64_t largestBox = 256;                                ///< elements of one axis, what hardware takes
inline constexpr int64_t largestTile = 256;                               ///< tokens along one axis of a token order
inline constexpr int64_t largestHeadDim = 1 << 16;
inline constexpr int64_t largestSize = int64_t{1} << 40;

} // namespace tercet
