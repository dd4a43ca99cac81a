// Entry: 8 bytes magic "TERCETCE", key (16 bytes), artifact file, XXH3-128 of everything before. The key inside tells
// an entry that was copied or renamed from one that belongs here.
#include "EntryFile.h"

#include <cstring>

namespace tercet {
namespace {

constexpr std::string_view magic = "TERCETCE";
constexpr size_t headerSize = 24, digestSize = 16;

void putDigest(std::vector<uint8_t> &bytes, const Digest &digest) {
  for (uint64_t word : {digest.low, digest.high})
    for (int byte = 0; byte < 8; ++byte)
      bytes.push_back(static_cast<uint8_t>(word >> (8 * byte)));
}

bool holdsDigest(std::span<const uint8_t> bytes, const Digest &digest) {
  std::vector<uint8_t> expected;
  putDigest(expected, digest);
  return std::memcmp(bytes.data(), expected.data(), digestSize) == 0;
}

} // namespace

std::vector<uint8_t> encodeEntry(const Digest &key, const Artifact &artifact) {
  std::vector<uint8_t> bytes(magic.begin(), magic.end());
  putDigest(bytes, key);
  std::vector<uint8_t> content = artifact.serialize();
  bytes.insert(bytes.end(), content.begin(), content.end());
  putDigest(bytes, digestOf(bytes));
  return bytes;
}

Result<Artifact> decodeEntry(const Digest &key, std::span<const uint8_t> bytes) {
  if (bytes.size() < headerSize + digestSize || std::memcmp(bytes.data(), magic.data(), magic.size()) != 0)
    return Status::make(Code::invalidArgument, "it does not begin like a cache entry");
  std::span<const uint8_t> content = bytes.first(bytes.size() - digestSize);
  if (!holdsDigest(bytes.last(digestSize), digestOf(content)))
    return Status::make(Code::invalidArgument, "its digest does not match");
  if (!holdsDigest(content.subspan(magic.size(), digestSize), key))
    return Status::make(Code::invalidArgument, "it belongs to another key");
  return Artifact::parse(content.subspan(headerSize));
}

} // namespace tercet
