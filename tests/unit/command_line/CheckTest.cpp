// `tercet check` can fail: a target that computes one thing wrongly gives exit code 1 and "passed": false, and the
// report names the output. The kernels are the real ones; a fault is made in their outputs after the launch.
#include "CapturedOutput.h"

#include "Check.h"
#include "CommandLine.h"

#include <cmath>
#include <limits>

using namespace tercet;
using namespace tercet::cli;

namespace {

using Fault = std::function<void(const Arguments &outputs)>;

class FaultyExecutor final : public Executor {
public:
  FaultyExecutor(std::unique_ptr<Executor> inner, Fault fault) : inner(std::move(inner)), fault(std::move(fault)) {}

  Result<LaunchReport> launch(const CallData &call, const CallOutputs &outputs) override {
    Result<LaunchReport> report = inner->launch(call, outputs);
    fault(outputs.arguments);
    return report;
  }
  size_t workspaceBytes() const override { return inner->workspaceBytes(); }
  const Artifact *artifact() const override { return inner->artifact(); }
  const TargetModule *module() const override { return inner->module(); }
  std::string target() const override { return inner->target(); }
  rt::GpuDevice *device() const override { return inner->device(); }
  CompileReport compileReport() const override { return inner->compileReport(); }
  int64_t compileCount() const override { return inner->compileCount(); }
  int threads() const override { return inner->threads(); }

private:
  std::unique_ptr<Executor> inner;
  Fault fault;
};

struct Checked {
  int exitCode;
  Json report;
  /// The verdict on one output at inputs as they are (not scaled by 4 or 16).
  const Json &output(const std::string &name) const {
    for (const Json &each : report["cases"][0]["outputs"])
      if (each["name"] == name)
        return each;
    FAIL("the report has no output " << name);
    throw;
  }
};

/// `tercet check sla` at a small shape with tails, every row compared, by a target with the fault.
Checked check(const std::string &target, Fault fault) {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(makeCheckCommand([&](const LoadedSpec &spec, const ExecutorOptions &options) {
    Result<std::unique_ptr<Executor>> inner = makeExecutor(spec, options);
    if (inner.ok())
      inner = std::unique_ptr<Executor>(std::make_unique<FaultyExecutor>(*std::move(inner), fault));
    return inner;
  }));
  std::vector<std::string> words = {"tercet", "check",    "sla",        "--shape", "b=1,h=2,n=300,d=16",
                                    "--set",  "keep=0.3", "--no-cache", "--json",  "--target",
                                    target};
  std::vector<char *> argv;
  for (std::string &word : words)
    argv.push_back(word.data());
  test::CapturedOutput output;
  int code = runCommandLine(static_cast<int>(argv.size()), argv.data(), std::move(commands));
  Json report = Json::parse(output.text(), nullptr, /*allow_exceptions=*/false);
  return {code, std::move(report)};
}

void requireFailure(const Checked &checked) {
  INFO(checked.report.dump(2));
  REQUIRE(checked.exitCode == exitInput);
  REQUIRE(checked.report["passed"] == false);
  REQUIRE(checked.report["cases"][0]["passed"] == false);
  REQUIRE_FALSE(checked.report["cases"][0]["reason"].get<std::string>().empty());
}

/// Changes one element of an output in the middle of the last head.
Fault change(const std::string &name, const std::function<double(double)> &to) {
  return [=](const Arguments &outputs) {
    const Tensor *tensor = outputs.find(name);
    REQUIRE(tensor);
    if (name == "lse")
      tensor->set(to(tensor->get(0, 1, 150)), 0, 1, 150);
    else
      tensor->set(to(tensor->get(0, 1, 150, 7)), 0, 1, 150, 7);
  };
}

} // namespace

TEST_CASE("a target without a fault passes", "[check]") {
  for (const char *target : {"cpu", "reference"}) {
    Checked checked = check(target, [](const Arguments &) {});
    INFO(checked.report.dump(2));
    CHECK(checked.exitCode == exitOk);
    CHECK(checked.report["passed"] == true);
  }
}

TEST_CASE("one wrong element of o fails", "[check]") {
  for (const char *target : {"cpu", "reference"}) {
    Checked checked = check(target, change("o", [](double value) { return value + 1e-3; }));
    requireFailure(checked);
    CHECK(checked.output("o")["passed"] == false);
    CHECK(checked.output("lse")["passed"] == true);
    CHECK(checked.report["cases"][0]["classes"]["passed"] == true);
  }
}

TEST_CASE("one element that was never written fails", "[check]") {
  Checked checked = check("cpu", change("o", [](double) { return 0; }));
  requireFailure(checked);
  CHECK(checked.output("o")["passed"] == false);
}

TEST_CASE("one NaN fails and is counted", "[check]") {
  Checked checked = check("cpu", change("o", [](double) { return std::numeric_limits<double>::quiet_NaN(); }));
  requireFailure(checked);
  CHECK(checked.output("o")["non_finite"] == 1);
}

TEST_CASE("one wrong element of lse fails", "[check]") {
  Checked checked = check("cpu", change("lse", [](double value) { return value + 1e-3; }));
  requireFailure(checked);
  CHECK(checked.output("o")["passed"] == true);
  CHECK(checked.output("lse")["passed"] == false);
}

TEST_CASE("classes that do not follow the rule fail", "[check]") {
  Checked checked = check("cpu", [](const Arguments &outputs) {
    const Tensor *classes = outputs.find("classes");
    REQUIRE(classes);
    for (int64_t block = 0; block < 5; ++block) // 300 tokens are 5 blocks of 64
      classes->set(-classes->get(0, 1, 2, block), 0, 1, 2, block);
  });
  requireFailure(checked);
  CHECK(checked.report["cases"][0]["classes"]["passed"] == false);
  CHECK(checked.report["cases"][0]["classes"]["wrong_rows"] == 1);
}

TEST_CASE("a wrong answer at one scale of the inputs fails the whole check", "[check]") {
  int launches = 0;
  Fault fault = change("o", [](double value) { return value + 1; });
  Checked checked = check("cpu", [&](const Arguments &outputs) {
    if (++launches == 3)
      fault(outputs);
  });
  CHECK(checked.exitCode == exitInput);
  CHECK(checked.report["passed"] == false);
  REQUIRE(checked.report["cases"].size() == 3);
  CHECK(checked.report["cases"][0]["passed"] == true);
  CHECK(checked.report["cases"][1]["passed"] == true);
  CHECK(checked.report["cases"][2]["passed"] == false);
}
