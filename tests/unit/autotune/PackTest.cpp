// Packs as files: what is written is read, and nothing else is.
#include "tercet/autotune/Pack.h"

#include "tercet/AtomicFile.h"
#include "tercet/SectionFile.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstring>
#include <functional>

namespace tercet::tune {
namespace {

template <typename Value>
ExpectedTensor expectedOf(const char *name, DType dtype, std::vector<int64_t> shape, std::vector<Value> values) {
  ExpectedTensor tensor{name, dtype, std::move(shape), std::vector<uint8_t>(values.size() * sizeof(Value))};
  std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

Pack samplePack() {
  Pack pack;
  pack.specName = "sparse_topk";
  pack.key = {"0123456789abcdef0123456789abcdef", "sm_90a", "bf16", 64, 2};
  pack.batch = 2;
  pack.heads = 4;
  pack.headsKV = 2;
  pack.queries = 100;
  pack.keys = 90;
  pack.kept = 0.25;
  pack.parameters = {{"keep", 0.25}};
  pack.base = {{"select", "rows 8"}};
  pack.nvrtc = "13.0";
  pack.date = "2026-11-29T18:00:00Z";
  pack.o = {0.004, 0.01, 0.001};
  pack.lse = ErrorBounds{1e-5, 1e-4, 1e-6};
  pack.expected = {expectedOf<int32_t>("rows", DType::i32, {2, 3}, {0, 0, 0, 1, 3, 99}),
                   expectedOf<float>("o", DType::f32, {2, 2}, {1, 2, 3, 4}),
                   expectedOf<float>("lse", DType::f32, {2}, {0.5f, 0.25f}),
                   expectedOf<int8_t>("classes", DType::i8, {2, 3}, {1, 0, -1, 1, 1, 0})};
  PackSpace space{"attend", {}, {"<8 x warp>: registers"}};
  PackCandidate first, refused, other;
  first.schedule = {"<4 x warp>", {{"workers", "4"}}, 1.5};
  first.artifact = 0;
  first.registers = 168;
  refused.schedule = {"<2 x warp>", {{"workers", "2"}}, 2.5};
  refused.refusal = "attend: 12 bytes spilled";
  other.schedule = {"<1 x warp>", {{"workers", "1"}}, 3.5};
  other.artifact = 1;
  other.notes = {"C7510"};
  space.candidates = {first, refused, other};
  pack.spaces = {space};
  pack.artifacts = {{1, 2, 3}, std::vector<uint8_t>(1000, 7)};
  return pack;
}

std::string refusal(const Pack &pack) {
  auto read = Pack::parse(pack.serialize());
  return read.ok() ? "" : read.status().message();
}

bool holds(const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("a pack is read as it was written", "[pack]") {
  Pack pack = samplePack();
  std::vector<uint8_t> bytes = pack.serialize();
  auto read = Pack::parse(bytes);
  REQUIRE(read.ok());
  CHECK(read->serialize() == bytes);
  CHECK(read->artifacts == pack.artifacts);
  CHECK(read->spaces[0].candidates[1].artifact == PackCandidate::noArtifact);
  CHECK(read->spaces[0].candidates[2].schedule.knobs == pack.spaces[0].candidates[2].schedule.knobs);
  CHECK(read->find("o")->view().get(1, 0) == 3);
  CHECK(read->shape() == ProblemShape{8, 2, 100, 90, 0.25, std::nullopt});
}

TEST_CASE("every cut and every changed byte is found", "[pack]") {
  const std::vector<uint8_t> bytes = samplePack().serialize();
  for (size_t size = 0; size < bytes.size(); size += 13)
    CHECK(!Pack::parse(std::span(bytes).first(size)).ok());
  for (size_t at = 0; at < bytes.size(); at += 7) {
    std::vector<uint8_t> damaged = bytes;
    damaged[at] ^= 0x40;
    CHECK(!Pack::parse(damaged).ok());
  }
}

TEST_CASE("a pack that contradicts itself is refused, though its digest is right", "[pack]") {
  struct Lie {
    const char *says;
    std::function<void(Pack &)> tell;
  };
  const Lie lies[] = {
      {"has no default", [](Pack &pack) { pack.spaces[0].candidates.erase(pack.spaces[0].candidates.begin()); }},
      {"has no default", [](Pack &pack) { pack.spaces[0].candidates.clear(); }},
      {"no artifact of its own", [](Pack &pack) { pack.spaces[0].candidates[2].artifact = 2; }},
      {"no artifact of its own", [](Pack &pack) { pack.spaces[0].candidates[1].artifact = 0; }},
      {"no candidates", [](Pack &pack) { pack.spaces.clear(); }},
      {"which is not its shape", [](Pack &pack) { pack.expected[1].bytes.resize(12); }},
      {"row 1 lies outside the call", [](Pack &pack) { pack.queries = 99; }},
      {"which rows", [](Pack &pack) { pack.expected.erase(pack.expected.begin()); }},
      {"one value per row", [](Pack &pack) { pack.key.valueDim = 3; }},
      {"one value per row", [](Pack &pack) { pack.lse.reset(); }},
      {"no multiple", [](Pack &pack) { pack.headsKV = 3; }},
      {"must be a fraction", [](Pack &pack) { pack.kept = 1.5; }},
      {"'batch' must be a whole number", [](Pack &pack) { pack.batch = 0; }},
      {"control character", [](Pack &pack) { pack.specName = "a\nb"; }},
  };
  for (const Lie &lie : lies) {
    Pack pack = samplePack();
    lie.tell(pack);
    INFO(lie.says << " / " << refusal(pack));
    CHECK(holds(refusal(pack), lie.says));
  }
}

TEST_CASE("the corpus of the fuzz target holds a pack that is one", "[pack]") {
  auto bytes = readWholeFile("tests/fuzz/corpus/pack/whole.bin", 1 << 20);
  REQUIRE(bytes.ok());
  auto end = std::find(bytes->begin(), bytes->end(), 0);
  SectionBytes area(std::span(*bytes).subspan(static_cast<size_t>(end - bytes->begin()) + 1));
  SectionFormat format{"TERCETPK", Pack::formatVersion, "a pack", 1 << 20, 1 << 20};
  auto pack = Pack::parse(writeSectionFile(format, std::string(bytes->begin(), end), {&area, 1}));
  INFO((pack.ok() ? "" : pack.status().message()));
  CHECK(pack.ok());
}

TEST_CASE("an artifact is no pack", "[pack]") {
  SectionFormat format{"TERCETAF", 1, "an artifact", 1 << 20, 1 << 20};
  CHECK(holds(Pack::parse(writeSectionFile(format, "{}", {})).status().message(), "do not begin like a pack"));
  SectionFormat later{"TERCETPK", Pack::formatVersion + 1, "a pack", 1 << 20, 1 << 20};
  CHECK(holds(Pack::parse(writeSectionFile(later, "{}", {})).status().message(), "format version"));
}

} // namespace tercet::tune
