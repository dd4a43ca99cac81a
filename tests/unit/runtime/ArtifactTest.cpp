#include "ArtifactFile.h"

#include "tercet/AtomicFile.h"
#include "tercet/PlanCheck.h"

#include <catch2/catch.hpp>

#include <random>

using namespace tercet;

namespace {

const char *const goldenPath = "tests/golden/artifact-3.tercet";

/// The artifact file with `from` in its manifest replaced by `to`, signed.
std::vector<uint8_t> withManifestEdit(const std::string &from, const std::string &to) {
  std::vector<uint8_t> bytes = test::sampleGpuArtifact().serialize();
  std::string text(bytes.begin() + test::artifactHeaderSize, bytes.end() - test::artifactDigestSize);
  uint64_t size = 0;
  std::memcpy(&size, bytes.data() + test::artifactHeaderSize - 8, 8);
  std::string manifest = text.substr(0, size);
  size_t place = manifest.find(from);
  REQUIRE(place != std::string::npos);
  manifest.replace(place, from.size(), to);
  return test::artifactFile(manifest, text.substr(size));
}

} // namespace

TEST_CASE("an artifact survives its file", "[artifact]") {
  Artifact written = test::sampleGpuArtifact();
  written.modules[1].remarks = {"schedule 2 was passed over"};
  Result<Artifact> read = Artifact::parse(written.serialize());
  REQUIRE(read.ok());
  CHECK(read->specText == written.specText);
  CHECK(read->staticParameters == written.staticParameters);
  CHECK(read->modules[0].code == written.modules[0].code);
  CHECK(read->modules[0].plan.nodes[0].body[1].body[0].slots.size() == 12);
  CHECK(read->modules[1].plan.nodes[0].body[1].body[0].slots.size() == 13);
  CHECK(read->modules[1].kernels[0].gpu.cubin == written.modules[1].kernels[0].gpu.cubin);
  CHECK(read->modules[1].kernels[0].gpu.ptx == ".version 8.0\n");
  CHECK(read->modules[1].kernels[0].gpu.source == "// source\n");
  CHECK(read->modules[1].remarks == written.modules[1].remarks);
  CHECK(read->serialize() == written.serialize()); // everything else
}

// Hidden: writes the golden file, for a new format version. Run from the repository's root.
TEST_CASE("write the golden artifact", "[.write-golden]") { REQUIRE(test::sampleGpuArtifact().save(goldenPath).ok()); }

TEST_CASE("the file format is the golden one", "[artifact]") {
  // A change of the format needs a new formatVersion and a new golden file.
  Result<std::vector<uint8_t>> golden = readWholeFile(goldenPath, 1 << 20);
  REQUIRE(golden.ok());
  CHECK(*golden == test::sampleGpuArtifact().serialize());
  CHECK(Artifact::parse(*golden).ok());
}

TEST_CASE("a file of an earlier version is refused by its number", "[artifact]") {
  for (int version : {1, 2}) {
    std::string number = std::to_string(version);
    Result<Artifact> read = Artifact::load("tests/golden/artifact-" + number + ".tercet");
    REQUIRE_FALSE(read.ok());
    CHECK_THAT(read.status().message(), Catch::Contains("format version " + number + "; this build reads version 3"));
  }
}

TEST_CASE("a file cut off anywhere is refused", "[artifact]") {
  std::vector<uint8_t> bytes = test::sampleGpuArtifact().serialize();
  for (size_t length = 0; length < bytes.size(); ++length) {
    Result<Artifact> read = Artifact::parse(std::span<const uint8_t>(bytes).first(length));
    if (read.ok() || read.status().code() != Code::invalidArgument)
      FAIL("accepted a file of " << length << " of " << bytes.size() << " bytes");
  }
}

TEST_CASE("a flipped bit is refused", "[artifact]") {
  std::vector<uint8_t> bytes = test::sampleGpuArtifact().serialize();
  for (size_t bit = 0; bit < bytes.size() * 8; bit += 37) {
    bytes[bit / 8] ^= uint8_t(1 << bit % 8);
    if (Artifact::parse(bytes).ok())
      FAIL("accepted a file with bit " << bit << " flipped");
    bytes[bit / 8] ^= uint8_t(1 << bit % 8);
  }
}

TEST_CASE("a signed file with random damage never crashes the reader", "[artifact]") {
  std::mt19937 random(7);
  const std::vector<uint8_t> original = test::sampleGpuArtifact().serialize();
  int refused = 0;
  for (int round = 0; round < 1000; ++round) {
    std::vector<uint8_t> bytes = original;
    for (unsigned change = random() % 3 + 1; change > 0; --change)
      bytes[12 + random() % (bytes.size() - 12 - test::artifactDigestSize)] =
          uint8_t(random() % 4 ? random() % 96 + 32 : random());
    test::sign(bytes);
    refused += !Artifact::parse(bytes).ok();
  }
  CHECK(refused > 500);
}

TEST_CASE("fields that lie are refused", "[artifact]") {
  struct Edit {
    const char *from, *to, *complaint;
  };
  const Edit edits[] = {
      {"\"head_dim\": 4", "\"head_dim\": -4", "'head_dim' must be a whole number from 1"},
      {"\"head_dim\": 4", "\"head_dim\": 4.5", "'head_dim' must be a whole number"},
      {"\"head_dim\": 4", "\"head_dim\": 18446744073709551615", "'head_dim' must be a whole number"},
      {"\"head_dim\"", "\"head_mid\"", "the field 'head_dim' is missing"},
      {"\"value\": 0.05", "\"value\": 1e999", "is not JSON"},
      {"\"value\": 0.05", "\"value\": null", "'value' must be a finite number"},
      {"$G $R *", "$G $R", "leaves 2 values"},
      {"$G $R *", "$G *", "operator to 1 operands"},
      {"$G $R *", "$G $X *", "unknown symbol 'X'"},
      {"$G $R *", "$G $R pow", "'pow' in an expression"},
      {"\"optional\": false", "\"optional\": true", "argument q has the role query, which cannot be optional"},
      {"\"callee\": \"rows\"", "\"callee\": \"ro\\nws\"", "'callee' holds a control character"},
      {"\"flops\": \"$G $N * 2 *\"", "\"flops\": \"$blocks.marginals\"", "unknown symbol 'blocks.marginals'"},
      {"\"role\": \"query\"", "\"role\": \"quiz\"", "unknown role 'quiz'"},
      {"\"role\": \"key\"", "\"role\": \"query\"", "2 arguments have the role query"},
      {"\"kind\": \"slices\"", "\"kind\": \"groups\"", "a groups node stands inside a groups node"},
      {"\"buffer\",\n", "\"tensor\",\n", "names 'rows'"},
      {"\"size\": 7", "\"size\": 700", "lies outside the file"},
      {"\"offset\": 0", "\"offset\": 1099511627776", "lies outside the file"},
      {"\"scratch_bytes\": 100", "\"scratch_bytes\": -1", "'scratch_bytes' must be a whole number"},
      {"\"callee\": \"scale_rows\"", "\"callee\": \"other\"", "lacks the kernel other"},
      {"\"callee\": \"rows\"", "\"callee\": \"ruws\"", "names the buffer 'ruws'"},
      {"\"swizzle\": \"128\"", "\"swizzle\": \"129\"", "unknown swizzle '129'"},
      {"\"of\": \"tensor\"", "\"of\": \"buffer\"", "names 'q'"},
      {"\"byte\": 7", "\"byte\": 256", "'byte' must be a whole number from 0 to 255"},
      {"\"threads\": 128", "\"threads\": 100", "multiples of 32"},
      {"\"threads\": 128", "\"threads\": 0", "'threads' must be a whole number from 1"},
      {"\"target\": \"sm_90a\"", "\"target\": \"cpu:v9\"", "wrong kind of code"},
  };
  for (const Edit &edit : edits) {
    Result<Artifact> read = Artifact::parse(withManifestEdit(edit.from, edit.to));
    INFO(edit.from << " -> " << edit.to);
    REQUIRE_FALSE(read.ok());
    CHECK_THAT(read.status().message(), Catch::Contains(edit.complaint));
  }
}

TEST_CASE("a token order survives its file, and is refused where it lies", "[artifact]") {
  Artifact artifact = test::sampleGpuArtifact();
  for (TargetModule &module : artifact.modules) {
    module.plan.parameters.push_back({"width", 8, true, 1, TokenOrder::largestAxis});
    module.plan.blockQ = module.plan.blockK = 32;
    module.plan.order = PlanOrder{{"width", "width"}, {4, 8}, TextPlace::suffix};
  }
  Result<Artifact> read = Artifact::parse(artifact.serialize());
  INFO(read.status().message());
  REQUIRE(read.ok());
  CHECK(read->signature() == artifact.signature());
  const std::pair<PlanOrder, const char *> lies[] = {
      {{{"width"}, {4, 8}, TextPlace::none}, "a token order of 1 and 2 axes"},
      {{{}, {}, TextPlace::none}, "a token order of 0 and 0 axes"},
      {{{"width", "width"}, {4, 4}, TextPlace::none}, "tiles of 16 tokens in blocks of 32 x 32"},
      {{{"width", "depth"}, {4, 8}, TextPlace::none}, ""},
      {{{"width", "keep"}, {4, 8}, TextPlace::none}, "the grid's size 'keep' is no integer parameter"},
      {{{"width", "wide"}, {4, 8}, TextPlace::none}, "the grid's size 'wide' is no integer parameter"},
      {{{"width", "width"}, {4, 0}, TextPlace::none}, "'tile' must be a whole number from 1"}};
  for (const auto &[order, complaint] : lies) {
    for (TargetModule &module : artifact.modules)
      module.plan.order = order;
    Result<Artifact> other = Artifact::parse(artifact.serialize());
    INFO(complaint);
    REQUIRE(other.ok() == std::string(complaint).empty());
    CHECK_THAT(other.status().message(), Catch::Contains(complaint));
  }
}

TEST_CASE("a plan of gradients survives its file, and lacks none of them", "[artifact]") {
  using Role = PlanArgument::Role;
  Artifact artifact = test::samplePlanArtifact();
  Plan &plan = artifact.modules[0].plan;
  plan.nodes.clear();
  std::erase_if(plan.arguments, [](const PlanArgument &argument) { return argument.isOutput; });
  std::vector<PlanArgument> gradients = {{"do", Role::outputGradient},
                                         {"o", Role::savedOutput},
                                         {"lse", Role::savedLse},
                                         {"dq", Role::queryGradient, false, true},
                                         {"dk", Role::keyGradient, false, true},
                                         {"dv", Role::valueGradient, false, true}};
  plan.arguments.insert(plan.arguments.end(), gradients.begin(), gradients.end());
  Result<Artifact> read = Artifact::parse(artifact.serialize());
  INFO(read.status().message());
  REQUIRE(read.ok());
  CHECK(read->signature() == artifact.signature());
  for (const PlanArgument &missing : gradients) {
    Artifact less = artifact;
    std::erase_if(less.modules[0].plan.arguments,
                  [&](const PlanArgument &argument) { return argument.name == missing.name; });
    Result<Artifact> other = Artifact::parse(less.serialize());
    bool isOfSoftmax =
        missing.role == Role::savedOutput || missing.role == Role::savedLse; // a linear branch saves none
    REQUIRE(other.ok() == isOfSoftmax);
    if (!isOfSoftmax)
      CHECK_THAT(other.status().message(),
                 Catch::Contains(fmt::format("0 arguments have the role {}", roleName(missing.role))));
  }
  plan.arguments.back().isOutput = false;
  CHECK_THAT(Artifact::parse(artifact.serialize()).status().message(), Catch::Contains("on the wrong side"));
}

TEST_CASE("deep nesting is refused before it is parsed", "[artifact]") {
  std::string deep(100000, '[');
  Result<Artifact> read = Artifact::parse(withManifestEdit("\"head_dim\": 4", "\"head_dim\": " + deep));
  REQUIRE_FALSE(read.ok());
  CHECK_THAT(read.status().message(), Catch::Contains("nests deeper than 16"));
}

TEST_CASE("save and load go through a file, and a missing one is named", "[artifact]") {
  std::filesystem::path path = std::filesystem::temp_directory_path() / "tercet-artifact-test.tercet";
  REQUIRE(test::sampleGpuArtifact().save(path).ok());
  CHECK(Artifact::load(path).ok());
  std::filesystem::remove(path);
  Result<Artifact> missing = Artifact::load(path);
  REQUIRE_FALSE(missing.ok());
  CHECK_THAT(missing.status().message(), Catch::Contains(path.string()) && Catch::Contains("No such file"));
  CHECK_FALSE(test::sampleGpuArtifact().save("/nonexistent-directory/x").ok());
}
