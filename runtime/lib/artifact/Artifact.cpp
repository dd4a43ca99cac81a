// The artifact file: a section file (tercet/SectionFile.h) whose sections are the code of its modules.
#include "tercet/Artifact.h"

#include "Manifest.h"

#include "tercet/AtomicFile.h"
#include "tercet/PlanCheck.h"

namespace tercet {
namespace {

constexpr SectionFormat fileFormat{"TERCETAF", Artifact::formatVersion, "an artifact", 8 << 20, uint64_t{1} << 30};

template <typename... Args> Status refuse(fmt::format_string<Args...> format, Args &&...args) {
  return Status::make(Code::invalidArgument, "not a usable artifact: {}",
                      fmt::format(format, std::forward<Args>(args)...));
}

} // namespace

std::vector<uint8_t> Artifact::serialize() const {
  std::vector<SectionBytes> sections;
  forEachSection(*this, [&](const auto &section, const TargetModule &) {
    sections.emplace_back(reinterpret_cast<const uint8_t *>(section.data()), section.size());
  });
  return writeSectionFile(fileFormat, writeManifest(*this, layOutSections(sections)), sections);
}

Result<Artifact> Artifact::parse(std::span<const uint8_t> bytes) {
  TERCET_TRY(SectionFile file, readSectionFile(fileFormat, bytes));
  Artifact artifact;
  std::vector<SectionRange> ranges;
  TERCET_RETURN_IF_ERROR(readManifest(file.manifest, artifact, ranges));
  std::vector<SectionBytes> sections;
  size_t outside = SIZE_MAX, index = 0;
  file.take(ranges, sections, outside);
  const TargetModule *wrong = nullptr;
  forEachSection(artifact, [&](auto &section, const TargetModule &module) {
    if (index == outside)
      wrong = &module;
    if (index < sections.size())
      section.assign(sections[index].begin(), sections[index].end());
    ++index;
  });
  if (wrong)
    return refuse("the code of module {} lies outside the file", wrong->target);
  if (Status status = checkArtifact(artifact); !status.ok())
    return refuse("{}", status.message());
  return artifact;
}

Status Artifact::save(const std::filesystem::path &path) const { return writeFileAtomically(path, serialize()); }

Result<Artifact> Artifact::load(const std::filesystem::path &path) {
  TERCET_TRY(std::vector<uint8_t> bytes, readWholeFile(path, fileFormat.largestFile));
  Result<Artifact> artifact = parse(bytes);
  if (!artifact.ok())
    return Status::make(artifact.status().code(), "{}: {}", path.string(), artifact.status().message());
  return artifact;
}

} // namespace tercet
