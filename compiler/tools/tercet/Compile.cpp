// tercet compile: a spec lowered to one stage for one target or several, written to files. Runs nothing; needs no GPU.
#include "Command.h"
#include "Emission.h"
#include "SpecSource.h"
#include "TargetName.h"

#include "tercet/AtomicFile.h"

#include <fmt/ranges.h>

#include <filesystem>

namespace tercet::cli {
namespace {

const std::vector<std::string> stages = {"tercet", "tkern", "llvm", "obj", "cuda", "ptx", "cubin", "artifact"};

/// A figure that the target does not have is null.
Json figureJson(std::optional<int64_t> figure) { return figure ? Json(*figure) : Json(nullptr); }

Json kernelJson(const KernelResources &kernel) {
  return {{"kernel", kernel.kernel},
          {"registers", figureJson(kernel.registers)},
          {"spill_bytes", figureJson(kernel.spillBytes)},
          {"stack_bytes", figureJson(kernel.stackBytes)},
          {"scratch_bytes", figureJson(kernel.scratchBytes)},
          {"smem_bytes", figureJson(kernel.sharedBytes)},
          {"code_bytes", figureJson(kernel.codeBytes)},
          {"compile_ms", kernel.compileMs ? Json(*kernel.compileMs) : Json(nullptr)},
          {"notes", kernel.notes}};
}

/// The figures that there are: "attend: 167 registers, 0 bytes spilled, ..".
std::string kernelText(const KernelResources &kernel) {
  std::vector<std::string> figures;
  auto add = [&](std::optional<int64_t> figure, const char *what) {
    if (figure)
      figures.push_back(fmt::format("{} {}", *figure, what));
  };
  add(kernel.registers, "registers");
  add(kernel.spillBytes, "bytes spilled");
  add(kernel.sharedBytes, "bytes of shared memory");
  add(kernel.scratchBytes, "bytes of scratch");
  add(kernel.stackBytes, "bytes of stack");
  add(kernel.codeBytes, "bytes of code");
  return fmt::format("  {:<16} {}\n", kernel.kernel, fmt::join(figures, ", "));
}

/// FILE with words that tell several files apart before the extension: sla.sm_90a.forward.cubin.
std::string outputPath(const std::string &file, std::initializer_list<std::string> words) {
  std::string suffix;
  for (const std::string &word : words)
    suffix += word.empty() ? "" : "." + word;
  if (suffix.empty())
    return file;
  std::replace(suffix.begin(), suffix.end(), ':', '-');
  std::filesystem::path path(file);
  return (path.parent_path() / (path.stem().string() + suffix + path.extension().string())).string();
}

class CompileCommand final : public Command {
public:
  std::string name() const override { return "compile"; }
  std::string summary() const override { return "lower a spec to any stage, or to an artifact; runs nothing"; }
  void declare(Options &options) override {
    spec.declare(options);
    options.text("--target", targetOption, "T[,T..]",
                 "cpu, cpu:v4, cpu:v3, cpu:portable, an architecture, or several with commas");
    options.text("--head-dim", headDimOption, "D[,DV]", "head dimension of q and k, and of v where it differs");
    options.choice("--dtype", dtypeOption, {"f32", "f16", "bf16"}, "compute input type (default f32)");
    options.choice("--emit", stage, stages, "what to write (default artifact)");
    options.flag("--grad", grad,
                 "the forward for a backward, and the backward: one artifact, or two files of other stages");
    options.text("-o,--output", output, "FILE",
                 "the file to write; text goes to standard output without it, with --json the report alone");
    schedules.declare(options);
    options.json(json);
  }

  Result<ExitCode> run() override {
    TERCET_TRY(std::vector<TargetName> targets, parseTargets(targetOption));
    for (const TargetName &target : targets)
      if (target.kind != TargetName::Kind::cpu && target.kind != TargetName::Kind::gpuArchitecture)
        return Status::make(Code::unsupportedTarget,
                            "'{}' is nothing to compile for; legal are cpu, cpu:v4, cpu:v3, cpu:portable and "
                            "architectures such as sm_90a",
                            target.text);
    TERCET_TRY(ScheduleRequest named, schedules.resolve());
    TERCET_TRY(LoadedSpec loaded, loadSpec(spec));
    TERCET_TRY(auto dims, parseHeadDim());
    TERCET_RETURN_IF_ERROR(checkOutput(targets.size()));
    DType dtype = DType::f32;
    parseDType(dtypeOption, dtype);

    Json results = Json::array();
    std::string text;
    for (const TargetName &target : targets) {
      Spec full = loaded.toCompile;
      for (const auto &[name, value] : loaded.runtimeSettings)
        full.settings[name] = fmt::format("{}", value);
      Problem problem{dims.first, dims.second, dtype, target.text};
      TERCET_TRY(Emission emission, emitStage(full, problem, stage, grad, named));
      if (output.empty() && !json && !emission.isText)
        return Status::make(Code::invalidArgument, "--emit {} is binary; give it a file with -o", stage);
      std::string suffix = targets.size() == 1 ? "" : target.text;
      size_t bytes = 0;
      Json kernels = Json::array(), outputs = Json::object();
      for (const Emission::File &file : emission.files) {
        bytes += file.bytes.size();
        text += output.empty() ? file.bytes : "";
        if (output.empty())
          continue;
        std::string path = outputPath(output, {suffix, file.direction});
        TERCET_RETURN_IF_ERROR(
            writeFileAtomically(path, {reinterpret_cast<const uint8_t *>(file.bytes.data()), file.bytes.size()}));
        outputs[file.direction] = path;
        text += fmt::format("{} for {}: {} bytes -> {}\n", titleOf(file), target.text, file.bytes.size(), path);
      }
      for (const Emission::Kernel &kernel : emission.kernels) {
        kernels.push_back(kernelJson(kernel.resources));
        if (grad)
          kernels.back()["direction"] = kernel.direction;
      }
      results.push_back({{"target", target.text},
                         {"compile_ms", emission.compileMs},
                         {"bytes", bytes},
                         {"kernels", std::move(kernels)},
                         {"remarks", emission.remarks}});
      if (outputs.size() == 1)
        results.back()["output"] = outputs.front();
      if (outputs.size() > 1)
        results.back()["outputs"] = outputs;
      text += output.empty() ? "" : summarise(emission);
    }
    if (!json) {
      TERCET_RETURN_IF_ERROR(printText(text));
      return exitOk;
    }
    Json object = {{"command", "compile"},
                   {"spec", loaded.info.name},
                   {"stage", stage},
                   {"head_dim", dims.first},
                   {"value_dim", dims.second},
                   {"dtype", dtypeName(dtype)},
                   {"settings", loaded.settingsJson()}};
    object.update(results.front());
    if (results.size() > 1)
      object["targets"] = std::move(results);
    TERCET_RETURN_IF_ERROR(printJson(object));
    return exitOk;
  }

private:
  Result<std::pair<int64_t, int64_t>> parseHeadDim() const {
    constexpr int64_t most = 1 << 20;
    size_t comma = headDimOption.find(',');
    std::optional<int64_t> d = parseWholeNumber(headDimOption.substr(0, comma), 1, most);
    std::optional<int64_t> dv =
        comma == std::string::npos ? d : parseWholeNumber(headDimOption.substr(comma + 1), 1, most);
    if (headDimOption.empty())
      return Status::make(Code::invalidArgument, "--head-dim is missing; it binds at compile time: --head-dim D[,DV]");
    if (!d || !dv)
      return Status::make(Code::invalidArgument, "--head-dim is '{}'; it must be D or D,DV, each at least 1",
                          headDimOption);
    return std::pair{*d, *dv};
  }

  Status checkOutput(size_t targets) const {
    if (output.empty() && json) // the report alone
      return {};
    if (output.empty() && (targets > 1 || stage == "artifact"))
      return Status::make(Code::invalidArgument, "-o FILE is missing: {}",
                          targets > 1 ? "several targets go to several files" : "an artifact is binary");
    if (output.empty())
      return {};
    return checkOutputPath(output);
  }

  /// What a file holds: "artifact of both directions", "backward obj".
  std::string titleOf(const Emission::File &file) const {
    if (!file.direction.empty())
      return file.direction + " " + stage;
    return grad ? stage + " of both directions" : stage;
  }

  static std::string summarise(const Emission &emission) {
    std::string text = fmt::format("  compiled in {:.1f} ms\n", emission.compileMs);
    for (const Emission::Kernel &kernel : emission.kernels)
      text += kernelText(kernel.resources);
    for (const std::string &remark : emission.remarks)
      text += "  " + remark + "\n";
    return text;
  }

  SpecOptions spec;
  ScheduleOptions schedules;
  std::string targetOption = "cpu", headDimOption, dtypeOption = "f32", stage = "artifact", output;
  bool grad = false, json = false;
};

} // namespace

std::unique_ptr<Command> makeCompileCommand() { return std::make_unique<CompileCommand>(); }

} // namespace tercet::cli
