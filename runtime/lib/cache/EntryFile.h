// EntryFile: the bytes of one cache entry: an artifact, the key it was stored under, and a digest over both.
#pragma once

#include "tercet/Artifact.h"
#include "tercet/Digest.h"

namespace tercet {

std::vector<uint8_t> encodeEntry(const Digest &key, const Artifact &artifact);
/// invalidArgument, with what is wrong, unless the bytes are a whole entry of this version under this key.
Result<Artifact> decodeEntry(const Digest &key, std::span<const uint8_t> bytes);

} // namespace tercet
