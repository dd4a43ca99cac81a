// The cpu target: a Session per thread count, a kernel per spec and problem, kept for the whole test run.
#include "Backend.h"

#include "tercet/Cpu.h"
#include "tercet/Jit.h"

#include <map>
#include <new>

namespace tercet::test {
namespace {

struct AlignedFree {
  void operator()(std::byte *memory) const { ::operator delete[](memory, std::align_val_t(64)); }
};

class CpuBackend : public Backend {
public:
  explicit CpuBackend(CpuLevel level) : target("cpu:" + std::string(cpuLevelName(level))) {}
  std::string name() const override { return target; }

  Status run(const Spec &spec, const Problem &problem, const Arguments &inputs, const Arguments &outputs,
             int threads) override {
    TERCET_TRY(std::shared_ptr<Kernel> kernel, kernelFor(spec, problem, threads));
    Arguments arguments = inputs;
    for (const auto &[name, tensor] : outputs.tensors) // `classes` is an input and an output
      arguments.tensors.emplace_back(name == "classes" ? "classes_out" : name, tensor);
    TERCET_TRY(size_t bytes, kernel->workspaceBytes(arguments));
    std::unique_ptr<std::byte[], AlignedFree> workspace(new (std::align_val_t(64)) std::byte[bytes + 1]);
    std::fill_n(workspace.get(), bytes, std::byte(0xff)); // what is there must not matter
    return kernel->launch(arguments, workspace.get(), bytes);
  }

private:
  std::string target;
  std::map<int, std::unique_ptr<Session>> sessions;
  std::map<std::string, std::shared_ptr<Kernel>> kernels;

  Result<Session *> sessionFor(int threads) {
    std::unique_ptr<Session> &session = sessions[threads];
    if (!session) {
      TERCET_TRY(session, Session::create({.threads = threads, .useCache = false}, makeCompiler()));
    }
    return session.get();
  }

  Result<std::shared_ptr<Kernel>> kernelFor(const Spec &spec, const Problem &given, int threads) {
    Problem problem = given;
    problem.target = target;
    std::string key =
        fmt::format("{} {} {} {} {}", threads, spec.text, problem.headDim, problem.valueDim, dtypeName(problem.dtype));
    for (const auto &[name, value] : spec.settings)
      key += fmt::format(" {}={}", name, value);
    std::shared_ptr<Kernel> &kernel = kernels[key];
    if (!kernel) {
      TERCET_TRY(Session * session, sessionFor(threads));
      TERCET_TRY(kernel, session->compile(spec, problem));
    }
    return kernel;
  }
};

} // namespace

std::vector<Backend *> cpuBackends() {
  static CpuBackend levels[] = {CpuBackend(CpuLevel::v4), CpuBackend(CpuLevel::v3), CpuBackend(CpuLevel::portable)};
  std::vector<Backend *> runnable;
  for (CpuLevel level : {CpuLevel::v4, CpuLevel::v3, CpuLevel::portable})
    if (level <= detectCpuLevel())
      runnable.push_back(&levels[static_cast<int>(CpuLevel::v4) - static_cast<int>(level)]);
  return runnable;
}

} // namespace tercet::test
