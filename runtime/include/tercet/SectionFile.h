// SectionFile: a JSON manifest and binary sections behind it as one relocatable file, with a digest over all of it: what artifacts,
// and packs of artifacts, are written as.
//
// All integers little-endian:
//   8 bytes  magic                 4 bytes  format version      4 bytes  zero
//   8 bytes  manifest size         manifest (JSON), then sections, then the XXH3-128 of everything before (16 bytes)
// Sections start at offsets of the section area given in the manifest, 64-byte aligned in the file.
#pragma once

#include "tercet/Status.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tercet {

struct SectionFormat {
  std::string_view magic; ///< 8 bytes
  uint32_t version = 0;
  std::string_view noun; ///< "an artifact", for messages
  uint64_t largestManifest = 0, largestFile = 0;
};

/// Where a section lies, in bytes from the start of the section area.
struct SectionRange {
  uint64_t offset = 0, size = 0;
};

using SectionBytes = std::span<const uint8_t>;

/// The ranges of these sections, one behind the other.
std::vector<SectionRange> layOutSections(std::span<const SectionBytes> sections);

/// The file of a manifest that holds the ranges of `layOutSections`.
std::vector<uint8_t> writeSectionFile(const SectionFormat &format, std::string manifest,
                                      std::span<const SectionBytes> sections);

/// Views of a file's bytes.
struct SectionFile {
  std::string_view manifest;
  SectionBytes area;

  /// The bytes of every range, in order. False where one lies outside the area, or begins before the end of the one before it, so
  /// that their sum is bounded by the file; `outside` is then its index.
  bool take(std::span<const SectionRange> ranges, std::vector<SectionBytes> &sections, size_t &outside) const;
};

/// Checks magic, sizes, version and digest, in this order, before anything else is read; invalidArgument with what is wrong.
Result<SectionFile> readSectionFile(const SectionFormat &format, SectionBytes bytes);

} // namespace tercet
