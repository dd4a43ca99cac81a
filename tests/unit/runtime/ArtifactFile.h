// ArtifactFile: artifact files put together by hand, so that anything but the frame around it may lie.
#pragma once

#include "unit/runtime/SamplePlan.h"

#include "tercet/Digest.h"

#include <algorithm>
#include <cstring>

namespace tercet::test {

constexpr size_t artifactHeaderSize = 24, artifactDigestSize = 16;

/// Puts the right digest under bytes that were changed on purpose, so that the checks behind it are reached.
inline void sign(std::vector<uint8_t> &bytes) {
  Digest digest = digestOf(std::span<const uint8_t>(bytes).first(bytes.size() - artifactDigestSize));
  std::memcpy(bytes.data() + bytes.size() - artifactDigestSize, &digest.low, 8);
  std::memcpy(bytes.data() + bytes.size() - artifactDigestSize / 2, &digest.high, 8);
}

/// A file of this version with this manifest and code area, signed.
inline std::vector<uint8_t> artifactFile(std::string_view manifest, std::string_view code) {
  static const std::vector<uint8_t> sample = sampleGpuArtifact().serialize();
  std::vector<uint8_t> bytes(sample.begin(), sample.begin() + artifactHeaderSize);
  uint64_t size = manifest.size();
  std::memcpy(bytes.data() + artifactHeaderSize - 8, &size, 8);
  bytes.insert(bytes.end(), manifest.begin(), manifest.end());
  bytes.insert(bytes.end(), code.begin(), code.end());
  bytes.resize(bytes.size() + artifactDigestSize);
  sign(bytes);
  return bytes;
}

} // namespace tercet::test
