// The artifact file, all integers little-endian:
//   8 bytes  magic "TERCETAF"      4 bytes  format version      4 bytes  zero
//   8 bytes  manifest size         manifest (JSON), then code area, then the XXH3-128 of everything before (16 bytes)
// Code starts at offsets of the code area given in the manifest, 64-byte aligned in the file. The digest is checked
// before anything else is read, so accidental damage is always found there; the checks after it are for files that lie.
#include "tercet/Artifact.h"

#include "Manifest.h"

#include "tercet/AtomicFile.h"
#include "tercet/Digest.h"
#include "tercet/PlanCheck.h"

#include <cstring>

namespace tercet {
namespace {

constexpr std::string_view magic = "TERCETAF";
constexpr size_t headerSize = 24, digestSize = 16, codeAlignment = 64;
constexpr uint64_t largestManifest = 8 << 20, largestFile = uint64_t{1} << 30;

template <typename... Args> Status refuse(fmt::format_string<Args...> format, Args &&...args) {
  return Status::make(Code::invalidArgument, "not a usable artifact: {}",
                      fmt::format(format, std::forward<Args>(args)...));
}

void putInteger(std::vector<uint8_t> &bytes, uint64_t value, int size) {
  for (int byte = 0; byte < size; ++byte)
    bytes.push_back(static_cast<uint8_t>(value >> (8 * byte)));
}

uint64_t getInteger(std::span<const uint8_t> bytes, size_t offset, int size) {
  uint64_t value = 0;
  for (int byte = 0; byte < size; ++byte)
    value |= static_cast<uint64_t>(bytes[offset + static_cast<size_t>(byte)]) << (8 * byte);
  return value;
}

void padTo(std::vector<uint8_t> &bytes, size_t alignment) {
  bytes.resize((bytes.size() + alignment - 1) / alignment * alignment);
}

} // namespace

std::vector<uint8_t> Artifact::serialize() const {
  std::vector<CodeRange> ranges;
  uint64_t offset = 0;
  forEachSection(*this, [&](const auto &section, const TargetModule &) {
    ranges.push_back({offset, section.size()});
    offset += (section.size() + codeAlignment - 1) / codeAlignment * codeAlignment;
  });
  std::string manifest = writeManifest(*this, ranges);
  manifest.resize((headerSize + manifest.size() + codeAlignment - 1) / codeAlignment * codeAlignment - headerSize,
                  '\n');

  std::vector<uint8_t> bytes(magic.begin(), magic.end());
  putInteger(bytes, formatVersion, 4);
  putInteger(bytes, 0, 4);
  putInteger(bytes, manifest.size(), 8);
  bytes.insert(bytes.end(), manifest.begin(), manifest.end());
  forEachSection(*this, [&](const auto &section, const TargetModule &) {
    bytes.insert(bytes.end(), section.begin(), section.end());
    padTo(bytes, codeAlignment);
  });
  Digest digest = digestOf(bytes);
  putInteger(bytes, digest.low, 8);
  putInteger(bytes, digest.high, 8);
  return bytes;
}

Result<Artifact> Artifact::parse(std::span<const uint8_t> bytes) {
  if (bytes.size() < headerSize + digestSize || std::memcmp(bytes.data(), magic.data(), magic.size()) != 0)
    return refuse("{} bytes that do not begin like an artifact", bytes.size());
  if (bytes.size() > largestFile)
    return refuse("{} bytes; at most {} are read", bytes.size(), largestFile);
  if (uint64_t version = getInteger(bytes, 8, 4); version != formatVersion)
    return refuse("format version {}; this build reads version {}", version, formatVersion);
  std::span<const uint8_t> content = bytes.first(bytes.size() - digestSize);
  Digest stored{getInteger(bytes, content.size(), 8), getInteger(bytes, content.size() + 8, 8)};
  if (stored != digestOf(content))
    return refuse("it is truncated or damaged (its digest does not match)");
  uint64_t manifestSize = getInteger(bytes, 16, 8);
  if (getInteger(bytes, 12, 4) != 0 || manifestSize > largestManifest || manifestSize > content.size() - headerSize)
    return refuse("a manifest of {} bytes in a file of {}", manifestSize, bytes.size());

  Artifact artifact;
  std::vector<CodeRange> ranges;
  const char *text = reinterpret_cast<const char *>(bytes.data()) + headerSize;
  TERCET_RETURN_IF_ERROR(readManifest({text, manifestSize}, artifact, ranges));
  std::span<const uint8_t> code = content.subspan(headerSize + manifestSize);
  uint64_t end = 0; // ranges lie one behind the other, so that their sum is bounded by the file
  size_t index = 0;
  const TargetModule *outside = nullptr;
  forEachSection(artifact, [&](auto &section, const TargetModule &module) {
    auto [offset, size] = ranges[index++];
    if (outside || offset < end || offset > code.size() || size > code.size() - offset) {
      outside = outside ? outside : &module;
      return;
    }
    end = offset + size;
    std::span<const uint8_t> range = code.subspan(offset, size);
    section.assign(range.begin(), range.end());
  });
  if (outside)
    return refuse("the code of module {} lies outside the file", outside->target);
  if (Status status = checkArtifact(artifact); !status.ok())
    return refuse("{}", status.message());
  return artifact;
}

Status Artifact::save(const std::filesystem::path &path) const { return writeFileAtomically(path, serialize()); }

Result<Artifact> Artifact::load(const std::filesystem::path &path) {
  TERCET_TRY(std::vector<uint8_t> bytes, readWholeFile(path, largestFile));
  Result<Artifact> artifact = parse(bytes);
  if (!artifact.ok())
    return Status::make(artifact.status().code(), "{}: {}", path.string(), artifact.status().message());
  return artifact;
}

} // namespace tercet
