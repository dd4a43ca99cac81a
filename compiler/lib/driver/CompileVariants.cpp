// Variants share what NVRTC made of the base's kernels: a variant costs one kernel.
#include "tercet/CompileVariants.h"

#include "CompileCpu.h"
#include "CompileCuda.h"

#include "tercet/Digest.h"

#include <mutex>

using namespace tercet;
using namespace tercet::compiler;

namespace {

/// As CUDA text is what NVRTC sees, equal text is equal code.
class SharedOutputs {
public:
  Result<NvrtcOutput> compile(const CudaSource &source, const std::string &architecture, bool keeps) {
    Digest digest = digestOf(source.text);
    {
      std::lock_guard<std::mutex> guard(mutex);
      if (auto known = outputs.find(digest); known != outputs.end())
        return known->second;
    }
    TERCET_TRY(NvrtcOutput output, compileInChild(source.kernel, source.text, architecture));
    std::lock_guard<std::mutex> guard(mutex);
    if (keeps)
      outputs.emplace(digest, output);
    return output;
  }

private:
  std::mutex mutex;
  std::map<Digest, NvrtcOutput> outputs;
};

std::string reasonOf(const Status &status) {
  std::string reason = status.message();
  for (const auto &[name, text] : status.notes())
    reason += fmt::format("; {}: {}", name, text);
  constexpr size_t longest = 2000;
  return reason.substr(0, longest);
}

/// Why a kernel did not get its schedule, from the remarks of the compilation.
std::string whyPassedOver(const TargetModule &module, const std::string &kernel, const std::string &schedule) {
  std::string head = fmt::format("{}: schedule {} is passed over: ", kernel, schedule);
  for (const std::string &remark : module.remarks)
    if (remark.starts_with(head))
      return remark.substr(head.size());
  return "another schedule was taken";
}

class CudaVariants final : public VariantCompiler {
public:
  CudaVariants(const Spec &spec, const Problem &problem) : spec(spec), problem(problem) {}

  Status open() {
    TERCET_TRY(std::shared_ptr<const Nvrtc> nvrtc, Nvrtc::get());
    version = nvrtc->version();
    TERCET_TRY(first.artifact, compileWith(problem, true, nullptr));
    return {};
  }

  const CompiledVariant &base() const override { return first; }
  std::string nvrtcVersion() const override { return version; }

  Result<CompiledVariant> compile(const std::string &kernel, const std::string &schedule) const override {
    Problem varied = problem;
    std::erase_if(varied.schedules, [&](const auto &named) { return named.first == kernel; });
    varied.schedules.emplace_back(kernel, schedule);
    CompiledVariant variant;
    std::vector<KernelResources> resources;
    Result<Artifact> artifact = compileWith(varied, false, &resources);
    if (!artifact.ok() && artifact.status().code() == Code::compileFailed) {
      variant.refusal = reasonOf(artifact.status());
      return variant;
    }
    TERCET_RETURN_IF_ERROR(artifact.status().copy());
    const TargetModule &module = artifact->modules.front();
    for (size_t index = 0; index < module.kernels.size(); ++index) {
      if (module.kernels[index].name != kernel)
        continue;
      variant.resources = resources[index];
      if (module.kernels[index].schedule != schedule)
        variant.refusal = whyPassedOver(module, kernel, schedule);
    }
    if (variant.refusal.empty())
      variant.artifact = std::move(*artifact);
    return variant;
  }

private:
  Result<Artifact> compileWith(const Problem &varied, bool keeps, std::vector<KernelResources> *resources) const {
    auto context = makeContext(); // one per thread
    TERCET_TRY(BoundSpec bound, loadSpec(*context, spec));
    EmitCudaOptions options{.threads = keeps ? 2 : 1};
    options.compile = [this, keeps](const CudaSource &source, const std::string &architecture) {
      return outputs->compile(source, architecture, keeps);
    };
    TERCET_TRY(Artifact artifact, compileCudaArtifact(bound, varied, options, resources));
    for (KernelInfo &kernel : artifact.modules.front().kernels)
      kernel.gpu.source.clear();
    return artifact;
  }

  const Spec spec;
  const Problem problem;
  const std::unique_ptr<SharedOutputs> outputs = std::make_unique<SharedOutputs>();
  CompiledVariant first;
  std::string version;
};

class CpuVariants final : public VariantCompiler {
public:
  CpuVariants(const Spec &spec, const Problem &problem) : spec(spec), problem(problem) {}

  Status open() {
    TERCET_TRY(first.artifact, compileWith(problem));
    return {};
  }

  const CompiledVariant &base() const override { return first; }
  std::string nvrtcVersion() const override { return ""; }

  Result<CompiledVariant> compile(const std::string &kernel, const std::string &schedule) const override {
    Problem varied = problem;
    varied.schedules = {{kernel, schedule}};
    CompiledVariant variant;
    TERCET_TRY(variant.artifact, compileWith(varied));
    return variant;
  }

private:
  Result<Artifact> compileWith(const Problem &varied) const {
    auto context = makeContext();
    TERCET_TRY(BoundSpec bound, loadSpec(*context, spec));
    TERCET_TRY(CpuCompilation compilation, compileCpu(*context, bound, varied, CpuStage::artifact));
    return std::move(compilation.artifact);
  }

  const Spec spec;
  const Problem problem;
  CompiledVariant first;
};

template <typename Kind>
Result<std::unique_ptr<VariantCompiler>> openVariants(const Spec &spec, const Problem &problem) {
  auto compiler = std::make_unique<Kind>(spec, problem);
  TERCET_RETURN_IF_ERROR(compiler->open());
  return std::unique_ptr<VariantCompiler>(std::move(compiler));
}

} // namespace

Result<std::unique_ptr<VariantCompiler>> VariantCompiler::create(const Spec &spec, const Problem &given) {
  Problem problem = forArchitecture(given);
  return isCudaTarget(problem.target) ? openVariants<CudaVariants>(spec, problem)
                                      : openVariants<CpuVariants>(spec, problem);
}
