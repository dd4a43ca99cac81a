// Forms of GPU kernels: the space of a program lists them, and whichever is named keeps the numerics contract. Samples in every run;
// "[space]": all.
#include "gpu/SimulatedGradients.h"
#include "support/Case.h"

#include "tercet/ScheduleSpace.h"

#include <catch2/catch.hpp>

using namespace tercet;
using namespace tercet::test;

namespace {

std::vector<ScheduleSpace> spacesOf(const Case &entry, const std::string &target, Direction direction) {
  PreparedCase prepared = prepare(entry);
  Problem problem = prepared.problem;
  problem.target = target;
  problem.direction = direction;
  Result<std::vector<ScheduleSpace>> spaces = scheduleSpaces(prepared.spec, problem);
  INFO(spaces.status().message());
  REQUIRE(spaces.ok());
  return *std::move(spaces);
}

std::string scheduleOf(const Kernel &kernel, const std::string &name) {
  for (const KernelInfo &info : kernel.module().kernels)
    if (info.name == name)
      return info.schedule;
  return "";
}

void checkForm(SimulatedBackend &backend, const Case &entry, const std::string &kernel, const std::string &schedule) {
  INFO(backend.name() << " " << entry.describe() << " " << kernel << " " << schedule);
  PreparedCase prepared = prepare(entry);
  prepared.problem.schedules = {{kernel, schedule}};
  Result<std::shared_ptr<Kernel>> compiled = backend.kernelFor(prepared.spec, prepared.problem);
  INFO(compiled.status().message());
  REQUIRE(compiled.ok());
  CHECK(scheduleOf(**compiled, kernel) == schedule);
  Status status = backend.run(prepared.spec, prepared.problem, prepared.arguments, prepared.outputs.arguments());
  INFO(status.message());
  REQUIRE(status.ok());
  CHECK(findFault(prepared, entry, entry.dtype) == "");
}

void checkForward(const Case &entry, size_t step, size_t first) {
  for (const char *target : {"sim:sm_80", "sim:sm_90a"}) {
    SimulatedBackend backend(target);
    for (const ScheduleSpace &space : spacesOf(entry, target, Direction::inference))
      for (size_t i = first; i < space.candidates.size(); i += step)
        checkForm(backend, entry, space.kernel, space.candidates[i].text);
  }
}

void checkBackward(const Case &entry, size_t step, size_t first) {
  for (const char *target : {"sim:sm_80", "sim:sm_90a"}) {
    SimulatedBackend backend(target);
    for (const ScheduleSpace &space : spacesOf(entry, target, Direction::backward))
      for (size_t i = first; i < space.candidates.size(); i += step) {
        INFO(target << " " << entry.describe() << " " << space.kernel << " " << space.candidates[i].text);
        GradientRun run(entry);
        run.run([&](const Spec &spec, Problem problem, const Arguments &inputs, const Arguments &outputs) {
          if (problem.direction == Direction::backward)
            problem.schedules = {{space.kernel, space.candidates[i].text}};
          runTaken(backend, spec, problem, inputs, outputs);
        });
        reference::Verdict verdict = run.verdict(entry.dtype);
        INFO(reference::describe(verdict));
        CHECK(verdict.passed);
      }
  }
}

std::vector<Case> cases() {
  reference::Shape shape{.batch = 1, .heads = 2, .headsKV = 1, .tokensQ = 300, .tokensK = 330, .headDim = 64};
  std::vector<Case> list;
  for (const char *spec : {"dense", "sparse_topk", "sla", "causal"})
    list.push_back({.name = spec, .spec = spec, .shape = shape, .dtype = DType::bf16});
  list.push_back({.name = "wide", .spec = "sla", .shape = shape, .dtype = DType::f32});
  return list;
}

} // namespace

TEST_CASE("spaces of kernels begin with the form that is taken first, and say what they leave out", "[schedules]") {
  for (const char *target : {"sm_80", "sm_90a"})
    for (const Case &entry : cases()) {
      INFO(target << " " << entry.describe());
      std::vector<ScheduleSpace> spaces = spacesOf(entry, target, Direction::inference);
      REQUIRE(spaces.size() == 1);
      for (const ScheduleCandidate &candidate : spaces[0].candidates) {
        CHECK(candidate.predicted > 0);
        CHECK(candidate.knobs.size() >= 6);
        CHECK(candidate.knobs[2].first == "keys");
        CHECK(candidate.text.find("keys " + candidate.knobs[2].second + ",") != std::string::npos);
      }
      bool isWarpgroup = spaces[0].candidates[0].knobs[0].second == "warpgroup";
      bool takesWarpgroups = entry.dtype != DType::f32 && entry.spec != "causal";
      CHECK(isWarpgroup == (std::string(target) == "sm_90a" && takesWarpgroups));
    }
  std::vector<ScheduleSpace> large = spacesOf(
      {.name = "large", .spec = "dense", .shape = {.tokensQ = 64, .tokensK = 64, .headDim = 256}, .dtype = DType::f32},
      "sm_80", Direction::inference);
  REQUIRE(large.size() == 1);
  CHECK(large[0].pruned.size() > 1);
}

TEST_CASE("named forms of attend keep the numerics contract", "[schedules]") {
  size_t number = 0;
  for (const Case &entry : cases())
    checkForward(entry, /*step=*/23, ++number);
}

TEST_CASE("named forms of gradients keep the numerics contract", "[schedules]") {
  size_t number = 0;
  for (const char *spec : {"dense", "sparse_topk"})
    checkBackward({.name = spec,
                   .spec = spec,
                   .shape = {.batch = 1, .heads = 2, .headsKV = 1, .tokensQ = 200, .tokensK = 230, .headDim = 64},
                   .dtype = DType::bf16},
                  /*step=*/11, ++number);
}

TEST_CASE("all forms of attend keep the numerics contract", "[.][space]") {
  for (const Case &entry : cases())
    DYNAMIC_SECTION(entry.describe()) { checkForward(entry, 1, 0); }
}

TEST_CASE("all forms of gradients keep the numerics contract", "[.][space]") {
  for (const char *spec : {"dense", "sparse_topk", "causal"})
    DYNAMIC_SECTION(spec) {
      checkBackward({.name = spec,
                     .spec = spec,
                     .shape = {.batch = 1, .heads = 2, .headsKV = 1, .tokensQ = 200, .tokensK = 230, .headDim = 64},
                     .dtype = DType::bf16},
                    1, 0);
    }
}
