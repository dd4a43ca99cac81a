// Packs from end to end, without a process: prepared for this CPU, then measured; and packs whose contents are wrong, which must not
// win, nor be recorded.
#include "MeasurePack.h"
#include "PreparePack.h"

#include "tercet/autotune/Pack.h"
#include "tercet/autotune/RecordFile.h"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <cstring>
#include <elf.h>
#include <filesystem>

namespace tercet::cli {
namespace {

/// A folder that goes with the test.
struct PackFolder {
  std::filesystem::path path;
  PackFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tercet-pack-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()));
    path = name;
  }
  ~PackFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::string file(const char *name) const { return (path / name).string(); }
};

tune::Pack preparedPack(const PackFolder &folder, const std::string &spec, const std::vector<std::string> &settings) {
  auto loaded = loadSpec({.spec = spec, .settings = settings});
  REQUIRE(loaded.ok());
  reference::Shape shape{.batch = 1, .heads = 3, .headsKV = 1, .tokensQ = 300, .tokensK = 260, .headDim = 16};
  auto object = preparePack({*loaded, shape.resolved(), DType::f32, "cpu:portable", {}, folder.file("a.pack"), 3});
  INFO((object.ok() ? "" : object.status().message()));
  REQUIRE(object.ok());
  CHECK((*object)["compiled"] == 3);
  auto pack = tune::Pack::load(folder.file("a.pack"));
  REQUIRE(pack.ok());
  return *std::move(pack);
}

run::MeasureOptions measureOf(const PackFolder &folder, const char *pack) {
  run::MeasureOptions options;
  options.pack = folder.file(pack);
  options.target = "cpu";
  options.database = folder.file("rows.jsonl");
  options.budgetSeconds = 0.5;
  return options;
}

} // namespace

TEST_CASE("a pack is measured, and a record comes of it that the database reads", "[pack]") {
  PackFolder folder;
  size_t recorded = 0;
  for (const char *spec : {"sparse_topk", "sla", "dense"}) {
    INFO(spec);
    std::vector<std::string> settings;
    if (std::string(spec) != "dense")
      settings = {"keep=0.3"};
    tune::Pack pack = preparedPack(folder, spec, settings);
    CHECK((pack.find("classes") != nullptr) == (std::string(spec) != "dense"));
    auto object = run::measurePack(measureOf(folder, "a.pack"));
    INFO((object.ok() ? "" : object.status().message()));
    REQUIRE(object.ok());
    CHECK((*object)["passed"] == true);
    CHECK((*object)["times"] == true);
    CHECK((*object)["kernels"][0]["candidates"].size() == 3);
    CHECK((*object)["record"]["heads_per_key_head"] == 3);
    bool isClear = (*object)["doubt"] == ""; // on a busy machine nothing is
    CHECK((*object)["database"].is_null() != isClear);
    CHECK(run::measureText(*object).find(isClear ? "recorded in" : "nothing is recorded: ") != std::string::npos);
    recorded += isClear;
  }
  tune::RecordLines lines = tune::readRecordFile(folder.file("rows.jsonl"));
  CHECK(lines.bad.empty());
  REQUIRE(lines.records.size() == recorded);
  for (const tune::StoredRecord &line : lines.records)
    CHECK(line.record.key.target == "cpu:portable");
}

TEST_CASE("a default that the oracle's rows contradict ends the measuring, and nothing is recorded", "[pack]") {
  PackFolder folder;
  tune::Pack pack = preparedPack(folder, "sparse_topk", {"keep=0.3"});
  for (tune::ExpectedTensor &tensor : pack.expected)
    if (tensor.name == "o") {
      float value = 17;
      std::memcpy(tensor.bytes.data(), &value, sizeof value);
    }
  REQUIRE(pack.save(folder.file("wrong.pack")).ok());
  auto object = run::measurePack(measureOf(folder, "wrong.pack"));
  REQUIRE(!object.ok());
  CHECK(object.status().message().find("relative L2 error") != std::string::npos);
  CHECK(!std::filesystem::exists(folder.file("rows.jsonl")));
}

TEST_CASE("an artifact that is damaged, or of another program, is no candidate", "[pack]") {
  PackFolder folder;
  tune::Pack other = preparedPack(folder, "dense", {});
  tune::Pack pack = preparedPack(folder, "sparse_topk", {"keep=0.3"});
  pack.artifacts[1] = other.artifacts[1];
  pack.artifacts[2].resize(pack.artifacts[2].size() / 2);
  REQUIRE(pack.save(folder.file("mixed.pack")).ok());
  auto object = run::measurePack(measureOf(folder, "mixed.pack"));
  REQUIRE(object.ok());
  std::string text = object->dump();
  CHECK(text.find("one of another program than the pack says") != std::string::npos);
  CHECK(text.find("truncated or damaged") != std::string::npos);
  CHECK((*object)["record"]["schedules"].empty()); // the default
}

/// Fills the code of a shared object with traps.
void breakCode(std::vector<uint8_t> &object) {
  Elf64_Ehdr header;
  std::memcpy(&header, object.data(), sizeof header);
  bool isBroken = false;
  for (size_t index = 0; index < header.e_phnum; ++index) {
    Elf64_Phdr segment;
    std::memcpy(&segment, object.data() + header.e_phoff + index * sizeof segment, sizeof segment);
    if (segment.p_type != PT_LOAD || !(segment.p_flags & PF_X))
      continue;
    size_t first = std::max<size_t>(segment.p_offset, sizeof header + header.e_phnum * sizeof segment);
    std::memset(object.data() + first, 0xcc, segment.p_offset + segment.p_filesz - first);
    isBroken = true;
  }
  REQUIRE(isBroken);
}

TEST_CASE("a candidate that ends the process is left out, and the search goes on", "[pack]") {
  PackFolder folder;
  tune::Pack pack = preparedPack(folder, "dense", {});
  auto artifact = Artifact::parse(pack.artifacts[1]);
  REQUIRE(artifact.ok());
  breakCode(artifact->modules.front().code);
  pack.artifacts[1] = artifact->serialize();
  REQUIRE(pack.save(folder.file("trap.pack")).ok());
  run::MeasureOptions options = measureOf(folder, "trap.pack");
  options.isolated = true;
  auto object = run::measurePack(options);
  INFO((object.ok() ? "" : object.status().message()));
  REQUIRE(object.ok());
  CHECK(object->dump().find("ended the process, when it was launched before") != std::string::npos);
  tune::RecordLines lines = tune::readRecordFile(folder.file("rows.jsonl"));
  CHECK(lines.records.size() == ((*object)["doubt"] == "" ? 1 : 0));

  pack.artifacts[0] = pack.artifacts[1];
  REQUIRE(pack.save(folder.file("trap.pack")).ok());
  auto hopeless = run::measurePack(options);
  REQUIRE(!hopeless.ok());
  CHECK(hopeless.status().message().find("died of signal") != std::string::npos);
}

TEST_CASE("packs are not for what they cannot compare", "[pack]") {
  PackFolder folder;
  auto vsa = loadSpec({.spec = "vsa", .settings = {}});
  REQUIRE(vsa.ok());
  reference::Shape shape{.tokensQ = 128, .headDim = 16};
  auto object = preparePack({*vsa, shape.resolved(), DType::f32, "cpu:portable", {}, folder.file("a.pack"), 3});
  REQUIRE(!object.ok());
  CHECK(object.status().message().find("has a token order") != std::string::npos);
}

} // namespace tercet::cli
