// Schedules of CPU programs: whatever the space of a program holds keeps the numerics contract. Samples in every run; "[space]": all.
#include "CaseCheck.h"
#include "GradientRun.h"

#include "tercet/Jit.h"
#include "tercet/ScheduleSpace.h"

#include <catch2/catch.hpp>

using namespace tercet;
using namespace tercet::test;

namespace {

/// A target with one schedule for whatever it runs.
class ScheduledBackend : public Backend {
public:
  ScheduledBackend(std::string target, std::string schedule)
      : target(std::move(target)), schedule(std::move(schedule)) {}
  std::string name() const override { return target + " with " + schedule; }

  Status run(const Spec &spec, const Problem &given, const Arguments &inputs, const Arguments &outputs,
             int threads) override {
    Problem problem = given;
    problem.target = target;
    problem.schedules = {{"cpu", schedule}};
    TERCET_TRY(Artifact artifact, makeCompiler()->compile(spec, problem));
    for (const KernelInfo &kernel : artifact.modules.front().kernels)
      CHECK(kernel.schedule == schedule);
    TERCET_TRY(std::unique_ptr<Session> session, Session::create({.threads = threads, .useCache = false}));
    TERCET_TRY(std::shared_ptr<Kernel> kernel, session->load(std::move(artifact), target));
    Arguments arguments = inputs;
    for (const auto &[name, tensor] : outputs.tensors)
      arguments.tensors.emplace_back(name == "classes" ? "classes_out" : name, tensor);
    launch(*kernel, takenBy(kernel->artifact().signature(), arguments));
    return {};
  }

private:
  std::string target, schedule;
};

/// Several super rows, segments of few blocks, ends of blocks and of panels.
std::vector<Case> cases() {
  reference::Shape shape{
      .batch = 1, .heads = 2, .headsKV = 1, .tokensQ = 1100, .tokensK = 1310, .headDim = 40, .valueDim = 48};
  std::map<std::string, std::string> small = {{"block_q", "16"}, {"block_k", "16"}},
                                     uneven = {{"block_q", "48"}, {"block_k", "96"}};
  std::vector<Case> list;
  for (const char *spec : {"sla", "dense", "sparse_topk", "block_mean", "sla_all", "causal", "window", "linear"})
    list.push_back({.name = spec, .spec = spec, .shape = shape, .dtype = DType::f32});
  for (const char *spec : {"sla", "sparse_topk", "block_mean"})
    for (const auto &blocks : {small, uneven})
      list.push_back({.name = spec, .spec = spec, .settings = blocks, .shape = shape, .dtype = DType::bf16});
  list.push_back({.name = "fine rows", .spec = "vsa", .shape = shape});
  return list;
}

ScheduleSpace spaceOf(const Case &entry, const std::string &target, Direction direction) {
  PreparedCase prepared = prepare(entry);
  Problem problem = prepared.problem;
  problem.target = target;
  problem.direction = direction;
  Result<std::vector<ScheduleSpace>> spaces = scheduleSpaces(prepared.spec, problem);
  INFO(spaces.status().message());
  REQUIRE(spaces.ok());
  REQUIRE(spaces->size() == 1);
  return spaces->front();
}

void checkForward(const Case &entry, size_t step, size_t first) {
  for (const std::string &target : cpuTargets()) {
    ScheduleSpace space = spaceOf(entry, target, Direction::inference);
    for (size_t i = first; i < space.candidates.size(); i += step) {
      ScheduledBackend backend(target, space.candidates[i].text);
      INFO(backend.name());
      checkCase(backend, entry);
    }
  }
}

void checkBackward(const Case &entry, size_t step, size_t first) {
  GradientRun run(entry);
  for (const std::string &target : cpuTargets()) {
    ScheduleSpace space = spaceOf(entry, target, Direction::backward);
    for (size_t i = first; i < space.candidates.size(); i += step) {
      ScheduledBackend backend(target, space.candidates[i].text);
      ScheduledBackend forward(target, spaceOf(entry, target, Direction::forward).candidates.front().text);
      INFO(backend.name() << " " << entry.describe());
      run.run([&](const Spec &spec, const Problem &problem, const Arguments &inputs, const Arguments &outputs) {
        Backend &used = problem.direction == Direction::backward ? backend : forward;
        REQUIRE(used.run(spec, problem, inputs, outputs, 2).ok());
      });
      reference::Verdict verdict = run.verdict();
      INFO(reference::describe(verdict));
      CHECK(verdict.passed);
    }
  }
}

std::vector<Case> gradientCases() {
  reference::Shape shape{
      .batch = 1, .heads = 2, .headsKV = 1, .tokensQ = 420, .tokensK = 530, .headDim = 40, .valueDim = 48};
  std::vector<Case> list;
  for (const char *spec : {"sla", "dense", "sparse_topk", "block_mean", "causal", "linear"})
    list.push_back({.name = spec, .spec = spec, .shape = shape});
  list.push_back({.name = "uneven", .spec = "sla", .settings = {{"block_q", "48"}, {"block_k", "96"}}, .shape = shape});
  return list;
}

} // namespace

TEST_CASE("spaces begin with the default, hold no schedule twice, and say what they leave out", "[schedules]") {
  for (const Case &entry : cases())
    for (const std::string &target : cpuTargets()) {
      ScheduleSpace space = spaceOf(entry, target, Direction::inference);
      INFO(target << " " << entry.describe());
      CHECK(space.kernel == "cpu");
      CHECK(space.candidates.size() >= 3);
      std::set<std::string> texts;
      for (const ScheduleCandidate &candidate : space.candidates) {
        CHECK(texts.insert(candidate.text).second);
        CHECK(candidate.predicted > 0);
        for (const auto &[knob, value] : candidate.knobs)
          CHECK(candidate.text.find(" " + knob + "=" + value) != std::string::npos);
      }
      CHECK_FALSE(space.pruned.empty());
      PreparedCase prepared = prepare(entry);
      prepared.problem.target = target;
      Artifact byDefault = *makeCompiler()->compile(prepared.spec, prepared.problem);
      CHECK(byDefault.modules.front().kernels.front().schedule == space.candidates.front().text);
    }
}

TEST_CASE("schedules of forward kernels keep the numerics contract", "[schedules]") {
  size_t number = 0;
  for (const Case &entry : cases())
    checkForward(entry, /*step=*/67, ++number);
}

TEST_CASE("schedules of backward kernels keep the numerics contract", "[schedules]") {
  size_t number = 0;
  for (const Case &entry : gradientCases())
    checkBackward(entry, /*step=*/97, ++number);
}

TEST_CASE("all schedules of forward kernels keep the numerics contract", "[.][space]") {
  for (const Case &entry : cases())
    DYNAMIC_SECTION(entry.name << " " << entry.describe()) { checkForward(entry, 1, 0); }
}

TEST_CASE("all schedules of backward kernels keep the numerics contract", "[.][space]") {
  for (const Case &entry : gradientCases())
    DYNAMIC_SECTION(entry.name << " " << entry.describe()) { checkBackward(entry, 1, 0); }
}
