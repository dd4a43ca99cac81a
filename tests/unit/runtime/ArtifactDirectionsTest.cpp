// Two directions in one artifact file.
#include "ArtifactFile.h"

#include "tercet/SavedOutputs.h"

#include <catch2/catch.hpp>

using namespace tercet;
using Role = PlanArgument::Role;

namespace {

Artifact bothDirections() {
  Artifact artifact = test::samplePlanArtifact();
  Status added = artifact.addBackward(test::sampleBackwardArtifact());
  INFO(added.message());
  REQUIRE(added.ok());
  return artifact;
}

/// What is said of the file when `from` in its manifest is `to`.
std::string complaintAbout(const std::string &from, const std::string &to) {
  std::vector<uint8_t> bytes = bothDirections().serialize();
  std::string text(bytes.begin() + test::artifactHeaderSize, bytes.end() - test::artifactDigestSize);
  uint64_t size = 0;
  std::memcpy(&size, bytes.data() + test::artifactHeaderSize - 8, 8);
  std::string manifest = text.substr(0, size);
  size_t place = manifest.find(from, manifest.find("backward_signature") - 1);
  REQUIRE(place != std::string::npos);
  manifest.replace(place, from.size(), to);
  Result<Artifact> read = Artifact::parse(test::artifactFile(manifest, text.substr(size)));
  REQUIRE_FALSE(read.ok());
  CHECK(read.status().code() == Code::invalidArgument);
  return read.status().message();
}

} // namespace

TEST_CASE("a file holds both directions, and gives out either", "[artifact]") {
  Artifact written = bothDirections();
  Result<Artifact> read = Artifact::parse(written.serialize());
  INFO(read.status().message());
  REQUIRE(read.ok());
  CHECK(read->serialize() == written.serialize());
  CHECK(read->signature() == test::samplePlanArtifact().signature());
  Result<Artifact> backward = read->backward();
  REQUIRE(backward.ok());
  CHECK(backward->serialize() == test::sampleBackwardArtifact().serialize());
  CHECK(backward->backward().status().message() == "the artifact of 'sample' holds no backward");
}

TEST_CASE("modules of several targets stand in each direction", "[artifact]") {
  Artifact written = test::sampleGpuArtifact();
  REQUIRE(written.addBackward(test::sampleBackwardArtifact()).ok());
  Result<Artifact> read = Artifact::parse(written.serialize());
  REQUIRE(read.ok());
  CHECK(read->modules[1].kernels[0].gpu.source == "// source\n");
  CHECK(read->backwardModules[0].code == std::vector<uint8_t>{0x7f, 'E', 'L', 'F', 9});
}

TEST_CASE("what is saved is found by its role", "[artifact]") {
  PlanSignature forward = test::samplePlanArtifact().signature();
  auto nameOf = [&](Role role) {
    const PlanArgument *output = savedOutput(forward, {"input", role});
    return output ? output->name : "";
  };
  CHECK(nameOf(Role::savedOutput) == "o");
  CHECK(nameOf(Role::savedLse) == "lse");
  CHECK(nameOf(Role::savedLseRest).empty());
  CHECK(nameOf(Role::query).empty());
  forward.arguments.push_back({"o_wide", Role::wideOutput, true, true});
  CHECK(nameOf(Role::savedOutput) == "o_wide");
}

TEST_CASE("directions that do not belong together are refused", "[artifact]") {
  Artifact artifact = test::samplePlanArtifact(), other = test::sampleBackwardArtifact();
  other.specDigest[0] = 'f';
  CHECK_THAT(artifact.addBackward(other).message(), Catch::Contains("cannot hold the backward of 'sample'"));
  CHECK_THAT(artifact.addBackward(test::samplePlanArtifact()).message(),
             Catch::Contains("two directions, but not a forward and then a backward"));
  Artifact reversed = test::sampleBackwardArtifact();
  CHECK_THAT(reversed.addBackward(test::sampleBackwardArtifact()).message(),
             Catch::Contains("two directions, but not a forward and then a backward"));
  Artifact silent = test::samplePlanArtifact();
  silent.modules[0].plan.nodes.clear();
  std::erase_if(silent.modules[0].plan.arguments, [](const PlanArgument &each) { return each.role == Role::lse; });
  CHECK_THAT(silent.addBackward(test::sampleBackwardArtifact()).message(),
             Catch::Contains("the backward takes lse, which the forward does not give"));
}

TEST_CASE("a backward that lies is refused", "[artifact]") {
  CHECK_THAT(complaintAbout("\"backward_signature\"", "\"backward_sign\""),
             Catch::Contains("'backward_signature' is missing"));
  CHECK_THAT(complaintAbout("\"backward_modules\"", "\"backward_nodules\""),
             Catch::Contains("'backward_modules' is missing"));
  CHECK_THAT(complaintAbout("\"role\": \"output_gradient\"", "\"role\": \"query_lengths\""),
             Catch::Contains("2 arguments have the role query_lengths"));
  CHECK_THAT(complaintAbout("\"size\": 5", "\"size\": 500"), Catch::Contains("lies outside the file"));
  CHECK_THAT(complaintAbout("\"offset\": 64", "\"offset\": 0"), Catch::Contains("lies outside the file"));
  CHECK_THAT(complaintAbout("\"target\": \"cpu:portable\"", "\"target\": \"sm_90a\""),
             Catch::Contains("'gpu' is missing") || Catch::Contains("wrong kind of code"));
}

TEST_CASE("a file of both directions that is cut off or flipped anywhere is refused", "[artifact]") {
  std::vector<uint8_t> bytes = bothDirections().serialize();
  for (size_t length = 0; length < bytes.size(); length += 13)
    if (Artifact::parse(std::span<const uint8_t>(bytes).first(length)).ok())
      FAIL("accepted a file of " << length << " of " << bytes.size() << " bytes");
  for (size_t bit = 0; bit < bytes.size() * 8; bit += 1009) {
    bytes[bit / 8] ^= uint8_t(1 << bit % 8);
    if (Artifact::parse(bytes).ok())
      FAIL("accepted a file with bit " << bit << " flipped");
    bytes[bit / 8] ^= uint8_t(1 << bit % 8);
  }
}
