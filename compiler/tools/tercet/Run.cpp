// tercet run: classify, attend, combine on given tensors (or on made-up ones), and say what was done.
#include "Command.h"
#include "Replay.h"
#include "RunOptions.h"

#include <algorithm>

namespace tercet::cli {
namespace {

class RunCommand final : public Command {
public:
  std::string name() const override { return "run"; }
  std::string summary() const override { return "run a spec on tensors, and report blocks, times and compilation"; }
  void declare(Options &to) override {
    options.declare(to);
    to.repeated("--out", out, "NAME=FILE", "write an output: o, lse or classes; with --grad dq, dk, dv, dw, ..");
    to.flag("--grad", options.grad, "also run the backward, from --in do=FILE");
    to.text("--replay", record, "DIR", "run a call that TERCET_DUMP_DIR recorded, and compare its outputs");
  }

  Result<ExitCode> run() override {
    if (!record.empty())
      return replay();
    TERCET_TRY(RunRequest request, options.resolve());
    const LoadedSpec &spec = request.spec;
    const std::vector<Case> &cases = request.cases;
    TERCET_TRY(CallData call, options.inputs(spec, cases.front()));
    for (const std::string &warning : call.warnings(spec))
      printWarning(warning);
    TERCET_TRY(std::vector<OutputFile> files, parseOutputs(spec, out, call.sizes.dtype, options.grad));
    if (!files.empty() && cases.size() > 1)
      return Status::make(Code::invalidArgument, "--out needs a single call; {} are asked for", cases.size());

    TERCET_TRY(auto executor, makeExecutor(spec, options.executorOptions(request, call)));
    std::vector<std::string> names = {"o"};
    std::vector<std::string> gradients = options.grad ? gradientsOf(spec, call) : std::vector<std::string>();
    for (const std::string &name : gradients)
      if (executor->makesGradient(name))
        names.push_back(name);
    for (const OutputFile &file : files) {
      if (std::find(names.begin(), names.end(), file.name) != names.end())
        continue;
      if (std::find(gradients.begin(), gradients.end(), file.name) != gradients.end())
        return Status::make(Code::unsupportedTarget, "'{}' makes no gradient '{}' yet; the target 'reference' does",
                            executor->target(), file.name);
      names.push_back(file.name);
    }
    Json launches = Json::array();
    for (size_t index = 0; index < cases.size(); ++index) {
      if (index > 0) {
        TERCET_TRY(call, options.inputs(spec, cases[index]));
      }
      TERCET_TRY(CallOutputs outputs, makeOutputs(call, names));
      TERCET_TRY(LaunchReport report, executor->launch(call, outputs));
      TERCET_RETURN_IF_ERROR(writeOutputs(outputs, files));
      Json launch = {{"shape", call.shapeJson()}, {"parameters", parametersJson(call.arguments)}};
      launch.update(launchJson(report, spec.info.classifies()));
      launches.push_back(std::move(launch));
    }
    return print(spec, call, *executor, files, launches);
  }

private:
  Result<ExitCode> replay() const {
    if (!options.spec.spec.empty() || !options.in.empty() || options.makesData() || !out.empty())
      return Status::make(Code::invalidArgument,
                          "--replay brings spec and tensors; SPEC, --in, --shape and --out do not go with it");
    TERCET_TRY(ReplayResult result, replayCall(record, options.target));
    TERCET_RETURN_IF_ERROR(options.json ? printJson(result.json()) : printText(result.text()));
    return result.passed() ? exitOk : exitInput;
  }

  Result<ExitCode> print(const LoadedSpec &spec, const CallData &call, const Executor &executor,
                         const std::vector<OutputFile> &files, const Json &launches) const {
    Json object = {{"command", "run"},
                   {"spec", spec.info.name},
                   {"dtype", dtypeName(call.sizes.dtype)},
                   {"settings", spec.settingsJson()}};
    if (options.makesData())
      object["seed"] = options.seed;
    object.update(executorJson(executor));
    object["launches"] = launches.size();
    object["warnings"] = call.warnings(spec);
    object["workspace_bytes"] = executor.workspaceBytes();
    object.update(launches.front());
    if (launches.size() > 1)
      object["cases"] = launches;
    if (!files.empty())
      for (const OutputFile &file : files)
        object["outputs"][file.name] = file.path;
    TERCET_RETURN_IF_ERROR(options.json ? printJson(object) : printText(summarise(object)));
    return exitOk;
  }

  static std::string summarise(const Json &object) {
    const Json &shape = object["shape"];
    std::string text = fmt::format(
        "{} on {}, {} {}, {}: b={} h={} hkv={} n={} m={} d={} dv={}\n", object["spec"].get<std::string>(),
        object["target"].get<std::string>(), object["threads"].get<int>(),
        object.contains("device") ? "multiprocessors" : "threads", object["dtype"].get<std::string>(),
        shape["b"].get<int64_t>(), shape["h"].get<int64_t>(), shape["hkv"].get<int64_t>(), shape["n"].get<int64_t>(),
        shape["m"].get<int64_t>(), shape["d"].get<int64_t>(), shape["dv"].get<int64_t>());
    text += fmt::format("compiled in {:.1f} ms (cache {}; {} compilations for {} launches)\n",
                        object["compile_ms"].get<double>(), object["cache"].get<std::string>(),
                        object["compiles"].get<int64_t>(), object["launches"].get<size_t>());
    if (object.contains("blocks"))
      text += fmt::format("blocks: {} exact, {} linear, {} skipped\n", object["blocks"]["kept"].get<int64_t>(),
                          object["blocks"]["linear"].get<int64_t>(), object["blocks"]["skipped"].get<int64_t>());
    text += fmt::format("{:.3f} ms", object["ms"].get<double>());
    for (const Json &stage : object["stages"])
      text += fmt::format("  {} {:.3f}", stage["stage"].get<std::string>(), stage["ms"].get<double>());
    text += '\n' + countsText(object);
    if (object.contains("outputs"))
      for (const auto &[name, path] : object["outputs"].items())
        text += fmt::format("{} -> {}\n", name, path.get<std::string>());
    return text;
  }

  RunOptions options;
  std::vector<std::string> out;
  std::string record;
};

} // namespace

std::unique_ptr<Command> makeRunCommand() { return std::make_unique<RunCommand>(); }

} // namespace tercet::cli
