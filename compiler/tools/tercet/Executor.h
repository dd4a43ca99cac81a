// Executor: one spec bound to one target, launched any number of times: compiled for the CPU or a GPU, or evaluated in
// fp64.
#pragma once

#include "CallData.h"
#include "ScheduleOptions.h"
#include "TargetName.h"

#include "tercet/Session.h"
#include "tercet/rt/GpuDevice.h"

#include <functional>
#include <memory>

namespace tercet::cli {

class Executor;

/// One launch of a call: who runs it, and on what. Tensors are borrowed from the call and its outputs, but for those that
/// `outputs.stored` holds: what is saved for a later part.
struct CallPart {
  Executor *executor = nullptr;
  Direction direction = Direction::inference;
  CallData call;
  CallOutputs outputs;
};

class Executor {
public:
  virtual ~Executor() = default;
  /// Runs one call on host tensors; on a GPU copies inputs there first and outputs back afterwards, outside of all times.
  /// The class counts of the report are those of all batches and heads.
  virtual Result<LaunchReport> launch(const CallData &call, const CallOutputs &outputs) = 0;
  /// The launches that `launch` makes, in order: itself alone, or the forward and then the backward. May be launched
  /// again and again, each after those before it.
  virtual Result<std::vector<CallPart>> partsOf(const CallData &call, const CallOutputs &outputs);
  /// Bytes of workspace of the largest launch so far; 0 for the reference.
  virtual size_t workspaceBytes() const = 0;
  /// Null for the reference.
  virtual const Artifact *artifact() const = 0;
  /// The module of the artifact that runs; null for the reference.
  virtual const TargetModule *module() const = 0;
  /// The target that runs: "cpu:v4" where "cpu" was asked for, "cuda:0" for "cuda".
  virtual std::string target() const = 0;
  /// The GPU, real or simulated; null elsewhere.
  virtual rt::GpuDevice *device() const { return nullptr; }
  /// What runs the backward, where that is launched too; null elsewhere, and for the reference.
  virtual const Executor *backwardOf() const { return nullptr; }
  /// Whether launches make this gradient; the reference makes all.
  virtual bool makesGradient(std::string_view name) const { return true; }
  /// How the artifact came to be, and how many compilations this process has run for it.
  virtual CompileReport compileReport() const = 0;
  virtual int64_t compileCount() const = 0;
  /// Work items at once: threads of the CPU, multiprocessors of a GPU.
  virtual int threads() const = 0;
};

/// What executors may share: a session with its threads, and the workspace of launches on the CPU, of which there is one at
/// a time.
struct ExecutorHost {
  std::unique_ptr<Session> session;

  static Result<std::shared_ptr<ExecutorHost>> create(bool useCache,
                                                      std::optional<uint64_t> adversarial = std::nullopt);
  /// At least as large as asked for; valid until more is asked for.
  Result<void *> workspace(size_t bytes);

private:
  compiler::StoredTensor memory;
  size_t size = 0;
};

struct ExecutorOptions {
  TargetName target;
  int64_t headDim = 0, valueDim = 0;
  DType dtype = DType::f32;
  bool grad = false; ///< launches take `do` and write gradients, too
  /// What one kernel computes that is launched by itself, on the tensors of its own signature: without `grad`.
  Direction direction = Direction::inference;
  std::shared_ptr<ExecutorHost> host = nullptr; ///< null: one of the executor's own, by the options below
  bool useCache = true;
  bool showProgress = true;
  ScheduleRequest schedules = {};
  std::optional<ExpectedCall> expected = {}; ///< the call that follows, or the first of several
  /// On the simulator: rt::adversarialSimulation with this seed.
  std::optional<uint64_t> adversarial = std::nullopt;
};

/// Views of a call's tensors and its parameters; nothing that it owns.
CallData borrowed(const CallData &call);

/// Inputs and outputs under the names of a plan: the map of classes goes out under a name of its own, so that classes can
/// be handed in and read back in one call.
Arguments planArguments(const PlanSignature &signature, const CallData &call, const CallOutputs &outputs);

/// Compiles the spec, or takes it from the cache; unsupportedTarget and deviceUnavailable as checkRunsHere. `spec` is
/// borrowed for the executor's life.
Result<std::unique_ptr<Executor>> makeExecutor(const LoadedSpec &spec, const ExecutorOptions &options);

using ExecutorFactory = std::function<Result<std::unique_ptr<Executor>>(const LoadedSpec &, const ExecutorOptions &)>;

/// The JSON that every command prints about an executor: target, threads, compile_ms, cache, compiles, aggregation,
/// schedule; for a GPU also `device` and, where the device counts, `kernels`.
Json executorJson(const Executor &executor);
/// What a device counted per kernel, as lines of text; empty where executorJson gave no `kernels`.
std::string countsText(const Json &object);
/// Stages with their milliseconds, the total, and block counts where the spec classifies.
Json launchJson(const LaunchReport &report, bool classifies);

} // namespace tercet::cli
