// The digest is checked before anything else is read, so accidental damage is always found there; the checks after it are for
// files that lie.
#include "tercet/SectionFile.h"

#include "tercet/Digest.h"

#include <cstring>

namespace tercet {
namespace {

constexpr size_t headerSize = 24, digestSize = 16, sectionAlignment = 64;

template <typename... Args>
Status refuseFile(const SectionFormat &format, fmt::format_string<Args...> text, Args &&...args) {
  return Status::make(Code::invalidArgument, "not a usable {}: {}", format.noun.substr(format.noun.find(' ') + 1),
                      fmt::format(text, std::forward<Args>(args)...));
}

void putInteger(std::vector<uint8_t> &bytes, uint64_t value, int size) {
  for (int byte = 0; byte < size; ++byte)
    bytes.push_back(static_cast<uint8_t>(value >> (8 * byte)));
}

uint64_t getInteger(SectionBytes bytes, size_t offset, int size) {
  uint64_t value = 0;
  for (int byte = 0; byte < size; ++byte)
    value |= static_cast<uint64_t>(bytes[offset + static_cast<size_t>(byte)]) << (8 * byte);
  return value;
}

uint64_t aligned(uint64_t size) { return (size + sectionAlignment - 1) / sectionAlignment * sectionAlignment; }

} // namespace

std::vector<SectionRange> layOutSections(std::span<const SectionBytes> sections) {
  std::vector<SectionRange> ranges;
  uint64_t offset = 0;
  for (const SectionBytes &section : sections) {
    ranges.push_back({offset, section.size()});
    offset += aligned(section.size());
  }
  return ranges;
}

std::vector<uint8_t> writeSectionFile(const SectionFormat &format, std::string manifest,
                                      std::span<const SectionBytes> sections) {
  manifest.resize(aligned(headerSize + manifest.size()) - headerSize, '\n');
  std::vector<uint8_t> bytes(format.magic.begin(), format.magic.end());
  putInteger(bytes, format.version, 4);
  putInteger(bytes, 0, 4);
  putInteger(bytes, manifest.size(), 8);
  bytes.insert(bytes.end(), manifest.begin(), manifest.end());
  for (const SectionBytes &section : sections) {
    bytes.insert(bytes.end(), section.begin(), section.end());
    bytes.resize(aligned(bytes.size()));
  }
  Digest digest = digestOf(bytes);
  putInteger(bytes, digest.low, 8);
  putInteger(bytes, digest.high, 8);
  return bytes;
}

bool SectionFile::take(std::span<const SectionRange> ranges, std::vector<SectionBytes> &sections,
                       size_t &outside) const {
  uint64_t end = 0;
  for (size_t index = 0; index < ranges.size(); ++index) {
    auto [offset, size] = ranges[index];
    if (offset < end || offset > area.size() || size > area.size() - offset) {
      outside = index;
      return false;
    }
    end = offset + size;
    sections.push_back(area.subspan(offset, size));
  }
  return true;
}

Result<SectionFile> readSectionFile(const SectionFormat &format, SectionBytes bytes) {
  if (bytes.size() < headerSize + digestSize ||
      std::memcmp(bytes.data(), format.magic.data(), format.magic.size()) != 0)
    return refuseFile(format, "{} bytes that do not begin like {}", bytes.size(), format.noun);
  if (bytes.size() > format.largestFile)
    return refuseFile(format, "{} bytes; at most {} are read", bytes.size(), format.largestFile);
  if (uint64_t version = getInteger(bytes, 8, 4); version != format.version)
    return refuseFile(format, "format version {}; this build reads version {}", version, format.version);
  SectionBytes content = bytes.first(bytes.size() - digestSize);
  Digest stored{getInteger(bytes, content.size(), 8), getInteger(bytes, content.size() + 8, 8)};
  if (stored != digestOf(content))
    return refuseFile(format, "it is truncated or damaged (its digest does not match)");
  uint64_t manifestSize = getInteger(bytes, 16, 8);
  if (getInteger(bytes, 12, 4) != 0 || manifestSize > format.largestManifest ||
      manifestSize > content.size() - headerSize)
    return refuseFile(format, "a manifest of {} bytes in a file of {}", manifestSize, bytes.size());
  const char *text = reinterpret_cast<const char *>(bytes.data()) + headerSize;
  return SectionFile{{text, manifestSize}, content.subspan(headerSize + manifestSize)};
}

} // namespace tercet
