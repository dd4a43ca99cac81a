#include "PackFormat.h"

#include "tercet/AtomicFile.h"

#include <algorithm>

namespace tercet::tune {
namespace {

std::vector<SectionBytes> sectionsOf(const Pack &pack) {
  std::vector<SectionBytes> sections;
  for (const ExpectedTensor &tensor : pack.expected)
    sections.emplace_back(tensor.bytes);
  for (const std::vector<uint8_t> &artifact : pack.artifacts)
    sections.emplace_back(artifact);
  return sections;
}

template <typename... Args> Status refusePack(fmt::format_string<Args...> format, Args &&...args) {
  return Status::make(Code::invalidArgument, "not a usable pack: {}", fmt::format(format, std::forward<Args>(args)...));
}

/// One element per expected value, and rows that the call has.
Status checkExpected(const Pack &pack) {
  for (const ExpectedTensor &tensor : pack.expected)
    if (static_cast<uint64_t>(tensor.view().elements()) * dtypeSize(tensor.dtype) != tensor.bytes.size())
      return refusePack("the expected '{}' has {} bytes, which is not its shape", tensor.name, tensor.bytes.size());
  const ExpectedTensor *rows = pack.find("rows"), *o = pack.find("o"), *lse = pack.find("lse"),
                       *classes = pack.find("classes");
  auto is = [&](const ExpectedTensor *tensor, DType dtype, size_t rank) {
    return tensor && tensor->dtype == dtype && tensor->shape.size() == rank &&
           (!rows || tensor->shape.front() == rows->shape.front());
  };
  if (!is(rows, DType::i32, 2) || rows->shape[1] != 3)
    return refusePack("it does not say which rows it expects");
  if (!is(o, DType::f32, 2) || o->shape[1] != pack.key.valueDim || (lse && !is(lse, DType::f32, 1)) ||
      (lse != nullptr) != pack.lse.has_value() || (classes && !is(classes, DType::i8, 2)))
    return refusePack("what it expects is not one value per row");
  const Tensor view = rows->view();
  for (int64_t row = 0; row < rows->shape.front(); ++row)
    for (auto [field, end] : {std::pair{0, pack.batch}, {1, pack.heads}, {2, pack.queries}})
      if (double at = view.get(row, field); at < 0 || at >= static_cast<double>(end))
        return refusePack("expected row {} lies outside the call", row);
  return {};
}

Status checkSpaces(const Pack &pack) {
  if (pack.spaces.empty())
    return refusePack("it has no candidates");
  for (const PackSpace &space : pack.spaces) {
    if (space.candidates.empty() || !space.candidates.front().refusal.empty())
      return refusePack("kernel '{}' has no default", space.kernel);
    for (const PackCandidate &candidate : space.candidates)
      if (candidate.refusal.empty() ? candidate.artifact >= pack.artifacts.size()
                                    : candidate.artifact != PackCandidate::noArtifact)
        return refusePack("a candidate of kernel '{}' has no artifact of its own", space.kernel);
  }
  return {};
}

} // namespace

Tensor ExpectedTensor::view() const {
  return Tensor::contiguous(const_cast<uint8_t *>(bytes.data()), dtype, std::span(shape)); // a view knows no constness
}

const ExpectedTensor *Pack::find(std::string_view name) const {
  auto found = std::find_if(expected.begin(), expected.end(), [&](const auto &tensor) { return tensor.name == name; });
  return found == expected.end() ? nullptr : &*found;
}

ProblemShape Pack::shape() const { return {batch * heads, heads / headsKV, queries, keys, kept, std::nullopt}; }

std::vector<uint8_t> Pack::serialize() const {
  std::vector<SectionBytes> sections = sectionsOf(*this);
  return writeSectionFile(packFormat, writePackManifest(*this, layOutSections(sections)), sections);
}

Result<Pack> Pack::parse(std::span<const uint8_t> bytes) {
  TERCET_TRY(SectionFile file, readSectionFile(packFormat, bytes));
  Pack pack;
  std::vector<SectionRange> ranges;
  TERCET_RETURN_IF_ERROR(readPackManifest(file.manifest, pack, ranges));
  std::vector<SectionBytes> sections;
  size_t outside = 0;
  if (!file.take(ranges, sections, outside))
    return refusePack("its part {} lies outside the file", outside);
  for (size_t index = 0; index < sections.size(); ++index) {
    bool isExpected = index < pack.expected.size();
    std::vector<uint8_t> &into = isExpected ? pack.expected[index].bytes : pack.artifacts[index - pack.expected.size()];
    into.assign(sections[index].begin(), sections[index].end());
  }
  TERCET_RETURN_IF_ERROR(checkExpected(pack));
  TERCET_RETURN_IF_ERROR(checkSpaces(pack));
  return pack;
}

Status Pack::save(const std::filesystem::path &path) const { return writeFileAtomically(path, serialize()); }

Result<Pack> Pack::load(const std::filesystem::path &path) {
  TERCET_TRY(std::vector<uint8_t> bytes, readWholeFile(path, packFormat.largestFile));
  Result<Pack> pack = parse(bytes);
  if (!pack.ok())
    return Status::make(pack.status().code(), "{}: {}", path.string(), pack.status().message());
  return pack;
}

} // namespace tercet::tune
