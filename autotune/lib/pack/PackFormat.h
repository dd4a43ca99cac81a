// PackFormat: what a pack file may hold. Private to the pack library.
#pragma once

#include "tercet/SectionFile.h"
#include "tercet/autotune/Pack.h"

namespace tercet::tune {

inline constexpr SectionFormat packFormat{"TERCETPK", Pack::formatVersion, "a pack", uint64_t{16} << 20,
                                          uint64_t{4} << 30};
inline constexpr size_t mostPackSpaces = 64, mostPackCandidates = 8192, mostPackTexts = 65536, mostPackKnobs = 64,
                        longestPackText = 4096, mostExpected = 8;
inline constexpr int64_t largestPackSize = int64_t{1} << 31;

/// The JSON part; ranges: of the expected tensors, then of the artifacts.
std::string writePackManifest(const Pack &pack, const std::vector<SectionRange> &ranges);
/// Reads what writePackManifest wrote; every field is checked for presence, type and range. Bytes stay empty.
Status readPackManifest(std::string_view text, Pack &pack, std::vector<SectionRange> &ranges);

} // namespace tercet::tune
