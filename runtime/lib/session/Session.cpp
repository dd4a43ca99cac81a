// Session: compiler, caches and worker threads put together. A kernel comes from the memory map, else from the disk
// cache, else from the compiler; each key is compiled once at a time among threads (SingleFlight) and processes
// (FileLock).
#include "CallRecord.h"
#include "DeviceTable.h"
#include "SingleFlight.h"

#include "tercet/CacheDirectory.h"
#include "tercet/DiskCache.h"
#include "tercet/Environment.h"
#include "tercet/Log.h"
#include "tercet/PlanCheck.h"
#include "tercet/Session.h"
#include "tercet/rt/CpuKernel.h"
#include "tercet/rt/GpuKernel.h"

#include <atomic>
#include <chrono>
#include <exception>

namespace tercet {
namespace {

using KernelPointer = std::shared_ptr<Kernel>;

/// Runs a call into a compiler, whose libraries may throw; no exception crosses the API.
template <typename Value, typename Call> Result<Value> withoutExceptions(const char *what, Call call) {
  try {
    return call();
  } catch (const std::exception &error) {
    return Status::make(Code::internal, "{} threw: {}", what, error.what());
  } catch (...) {
    return Status::make(Code::internal, "{} threw", what);
  }
}

std::filesystem::path cacheRoot(const SessionOptions &options) {
  if (!options.useCache)
    return {};
  return options.cacheDirectory.empty() ? defaultCacheDirectory() : std::filesystem::path(options.cacheDirectory);
}

class SessionImpl : public Session {
public:
  SessionImpl(SessionOptions options, std::shared_ptr<Compiler> compiler)
      : compiler(std::move(compiler)),
        workers(std::make_shared<rt::Workers>(options.threads, std::move(options.parallelFor))),
        devices(std::move(options.openDevice)), useCache(options.useCache), cache(cacheRoot(options)) {}

  Result<KernelPointer> compile(const Spec &spec, const Problem &problem, CompileReport *report) override {
    auto start = std::chrono::steady_clock::now();
    if (!compiler)
      return Status::make(Code::invalidArgument, "this session has no compiler; load an artifact instead");
    TERCET_TRY(Problem resolved, resolve(problem));
    TERCET_TRY(CompileKey key,
               withoutExceptions<CompileKey>("the compiler", [&] { return compiler->key(spec, resolved); }));
    const Problem &toCompile = key.problem;
    std::vector<std::string> &fields = key.fields;
    fields.push_back(toCompile.target);
    Digest onDisk = digestOfFields(fields);
    fields.push_back(problem.target); // GPUs of one architecture share an artifact, not a kernel
    bool wasHeld = false, wasOnDisk = false;
    Wanted wanted{spec, toCompile, problem.target, onDisk};
    TERCET_TRY(KernelPointer kernel, kernels.get(
                                         digestOfFields(fields), [&] { return make(wanted, wasOnDisk); }, wasHeld));
    if (report) {
      report->compileMs = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
      report->cache = wasHeld || wasOnDisk ? "hit" : useCache ? "miss" : "off";
      report->schedules = toCompile.scheduleSource;
    }
    return kernel;
  }

  Result<KernelPointer> load(Artifact artifact, const std::string &target) override {
    TERCET_RETURN_IF_ERROR(checkArtifact(artifact));
    TERCET_TRY(KernelPointer kernel, bind(std::make_shared<const Artifact>(std::move(artifact)), target));
    if (const std::string &directory = environment().dumpDir; !directory.empty())
      return rt::recorded(std::move(kernel), target, directory);
    return kernel;
  }

  Result<std::shared_ptr<rt::GpuDevice>> device(const std::string &target) override { return devices.open(target); }

  int threads() const override { return workers->threads(); }
  int64_t compileCount() const override { return compilations.load(); }

private:
  struct Wanted {
    const Spec &spec;
    const Problem &problem;    ///< what the compiler sees
    const std::string &target; ///< what runs it
    const Digest &key;         ///< in the disk cache
  };

  Result<KernelPointer> bind(std::shared_ptr<const Artifact> artifact, const std::string &target) {
    if (!devices.isDevice(target))
      return rt::loadCpuKernel(std::move(artifact), target, workers);
    TERCET_TRY(std::shared_ptr<rt::GpuDevice> gpu, devices.open(target));
    return rt::loadGpuKernel(std::move(artifact), std::move(gpu));
  }

  /// A CUDA device stands for its architecture; other devices are the compiler's own targets. A device that is not there is
  /// told before anything is compiled.
  Result<Problem> resolve(Problem problem) {
    if (!devices.isDevice(problem.target))
      return problem;
    TERCET_TRY(std::shared_ptr<rt::GpuDevice> gpu, devices.open(problem.target));
    problem.device = gpu->properties().name;
    if (devices.isCuda(problem.target))
      problem.target = gpu->properties().architecture;
    return problem;
  }

  Result<KernelPointer> make(const Wanted &wanted, bool &wasOnDisk) {
    if (!useCache)
      return compileAndLoad(wanted);
    if (KernelPointer kernel = fromDisk(wanted)) {
      wasOnDisk = true;
      return kernel;
    }
    std::unique_ptr<FileLock> lock = cache.lock(wanted.key);
    if (KernelPointer kernel = lock ? fromDisk(wanted) : nullptr) { // compiled by another process meanwhile
      wasOnDisk = true;
      return kernel;
    }
    return compileAndLoad(wanted);
  }

  /// Null on a miss, or when the entry's code does not load here.
  KernelPointer fromDisk(const Wanted &wanted) {
    std::optional<Artifact> artifact = cache.lookup(wanted.key);
    if (!artifact)
      return nullptr;
    Result<KernelPointer> kernel = load(*std::move(artifact), wanted.target);
    if (kernel.ok())
      return *std::move(kernel);
    log(LogLevel::warn, "cache entry {} does not load and will be replaced: {}", wanted.key.hex(),
        kernel.status().message());
    cache.discard(wanted.key);
    return nullptr;
  }

  Result<KernelPointer> compileAndLoad(const Wanted &wanted) {
    compilations.fetch_add(1);
    auto start = std::chrono::steady_clock::now();
    TERCET_TRY(Artifact artifact, withoutExceptions<Artifact>(
                                      "the compiler", [&] { return compiler->compile(wanted.spec, wanted.problem); }));
    std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
    if (useCache)
      if (Status status = cache.store(wanted.key, artifact, taken.count()); !status.ok())
        log(warnedOfCache.exchange(true) ? LogLevel::debug : LogLevel::warn, "{}", status.message());
    return load(std::move(artifact), wanted.target);
  }

  std::shared_ptr<Compiler> compiler;
  std::shared_ptr<const rt::Workers> workers;
  rt::DeviceTable devices;
  bool useCache;
  DiskCache cache;
  rt::SingleFlight<KernelPointer> kernels;
  std::atomic<int64_t> compilations{0};
  std::atomic<bool> warnedOfCache{false};
};

} // namespace

Result<std::unique_ptr<Session>> Session::create(SessionOptions options, std::shared_ptr<Compiler> compiler) {
  if (options.threads < 0 || options.threads > 4096)
    return Status::make(Code::invalidArgument,
                        "a session was asked for {} threads; legal are 1 to 4096, or 0 for all cores", options.threads);
  return std::unique_ptr<Session>(std::make_unique<SessionImpl>(std::move(options), std::move(compiler)));
}

} // namespace tercet
