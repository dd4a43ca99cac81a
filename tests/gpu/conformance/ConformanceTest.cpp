// The conformance kernels on the simulator: as recorded, in every order of effects; and that comparing finds differences.
#include "Recording.h"
#include "Report.h"

#include "tercet/AtomicFile.h"
#include "tercet/rt/SimulatedGpu.h"

#include <catch2/catch.hpp>

#include <set>

using namespace tercet;
using namespace tercet::conformance;

namespace {

Recording onSimulator(const rt::SimulationOptions &options = {}) {
  auto device = rt::openSimulatedGpu("sim:sm_90a", options);
  REQUIRE(device.ok());
  return record(**device);
}

Recording recorded() {
  auto bytes = readWholeFile("tests/gpu/conformance/recordings/simulator.json", uint64_t{1} << 28);
  REQUIRE(bytes.ok());
  auto recording = fromJson(std::string(bytes->begin(), bytes->end()));
  REQUIRE(recording.ok());
  return *std::move(recording);
}

} // namespace

TEST_CASE("the simulator gives what is recorded, bit for bit", "[conformance]") {
  Recording expected = recorded(), got = onSimulator();
  std::set<std::string> names;
  for (const Case &given : allCases()) {
    INFO(given.name);
    CHECK(names.insert(given.name).second);
    Agreement agreement = compare(given, expected, got);
    INFO(agreement.detail);
    CHECK(agreement.kind == Agreement::Kind::equal);
  }
  CHECK(names.size() >= 40);
  CHECK(expected.outputs.size() == names.size());
}

TEST_CASE("outputs depend on no order of warps and effects, and no check fires", "[conformance]") {
  Recording expected = recorded();
  for (uint64_t seed : {1, 2}) {
    Recording got = onSimulator(rt::adversarialSimulation(seed));
    for (const Case &given : allCases()) {
      Agreement agreement = compare(given, expected, got);
      INFO(given.name << ", seed " << seed << ": " << agreement.detail);
      CHECK(agreement.kind == Agreement::Kind::equal);
    }
  }
}

TEST_CASE("a device that lacks an instruction leaves its cases out", "[conformance]") {
  auto device = rt::openSimulatedGpu("sim:sm_80");
  REQUIRE(device.ok());
  Recording got = record(**device);
  CHECK(got.failures.empty());
  CHECK(got.outputs.count("mma-bf16") == 1);
  CHECK(got.outputs.count("wgmma-tf32") == 0);
  CHECK(reportOf(got, nullptr).markdown.find("| wgmma-tf32 | types and fragments | not run: not run |") !=
        std::string::npos);
}

TEST_CASE("a difference is found and told, by the measure of its case", "[conformance]") {
  Recording expected = recorded(), got = expected;
  got.outputs["mma-bf16"][8] ^= 1;
  got.outputs["rcp-approx-ftz"][0] ^= 1; // one unit in the last place
  got.outputs["fma-rn"][0] ^= 1;
  got.outputs["ex2-approx-ftz-unit"][2] ^= 8;
  got.failures["prmt"] = "the kernel did not load";
  auto kind = [&](const std::string &name) {
    for (const Case &given : allCases())
      if (given.name == name)
        return compare(given, expected, got).kind;
    return Agreement::Kind::absent;
  };
  CHECK(kind("mma-bf16") == Agreement::Kind::different);
  CHECK(kind("rcp-approx-ftz") == Agreement::Kind::close);
  CHECK(kind("fma-rn") == Agreement::Kind::different);
  CHECK(kind("ex2-approx-ftz-unit") == Agreement::Kind::different);
  CHECK(kind("prmt") == Agreement::Kind::failed);
  Report report = reportOf(got, &expected);
  CHECK(!report.passed);
  CHECK(report.markdown.find("3 different, 1 failed") != std::string::npos);
  auto again = fromJson(toJson(got));
  REQUIRE(again.ok());
  CHECK(again->outputs == got.outputs);
  CHECK(fromJson(toJson(Recording{})).ok());
  CHECK(!fromJson("{}").ok());
  CHECK(!fromJson(R"({"outputs": {"prmt": "0g"}})").ok());
}
