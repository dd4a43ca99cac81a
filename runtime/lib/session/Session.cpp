// Session: compiler, caches and worker threads put together. A kernel comes from the memory map, else from the disk
// cache, else from the compiler; each key is compiled once at a time among threads (SingleFlight) and processes
// (CacheLock).
#include "SingleFlight.h"

#include "tercet/CacheDirectory.h"
#include "tercet/DiskCache.h"
#include "tercet/Log.h"
#include "tercet/Session.h"
#include "tercet/rt/CpuKernel.h"

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
        useCache(options.useCache), cache(cacheRoot(options)) {}

  Result<KernelPointer> compile(const Spec &spec, const Problem &problem, CompileReport *report) override {
    auto start = std::chrono::steady_clock::now();
    if (!compiler)
      return Status::make(Code::invalidArgument, "this session has no compiler; load an artifact instead");
    TERCET_TRY(std::vector<std::string> fields, withoutExceptions<std::vector<std::string>>("the compiler", [&] {
                 return compiler->keyFields(spec, problem);
               }));
    fields.push_back(problem.target);
    Digest key = digestOfFields(fields);
    bool wasHeld = false, wasOnDisk = false;
    TERCET_TRY(KernelPointer kernel, kernels.get(
                                         key, [&] { return make(key, spec, problem, wasOnDisk); }, wasHeld));
    if (report) {
      report->compileMs = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
      report->cache = wasHeld || wasOnDisk ? "hit" : useCache ? "miss" : "off";
    }
    return kernel;
  }

  Result<KernelPointer> load(Artifact artifact, const std::string &target) override {
    return rt::loadCpuKernel(std::make_shared<const Artifact>(std::move(artifact)), target, workers);
  }

  int threads() const override { return workers->threads(); }
  int64_t compileCount() const override { return compilations.load(); }

private:
  Result<KernelPointer> make(const Digest &key, const Spec &spec, const Problem &problem, bool &wasOnDisk) {
    if (!useCache)
      return compileAndLoad(key, spec, problem);
    if (KernelPointer kernel = fromDisk(key, problem)) {
      wasOnDisk = true;
      return kernel;
    }
    std::unique_ptr<CacheLock> lock = cache.lock(key);
    if (KernelPointer kernel = lock ? fromDisk(key, problem) : nullptr) { // compiled by another process meanwhile
      wasOnDisk = true;
      return kernel;
    }
    return compileAndLoad(key, spec, problem);
  }

  /// Null on a miss, or when the entry's code does not load here.
  KernelPointer fromDisk(const Digest &key, const Problem &problem) {
    std::optional<Artifact> artifact = cache.lookup(key);
    if (!artifact)
      return nullptr;
    Result<KernelPointer> kernel = load(*std::move(artifact), problem.target);
    if (kernel.ok())
      return *std::move(kernel);
    log(LogLevel::warn, "cache entry {} does not load and will be replaced: {}", key.hex(), kernel.status().message());
    cache.discard(key);
    return nullptr;
  }

  Result<KernelPointer> compileAndLoad(const Digest &key, const Spec &spec, const Problem &problem) {
    compilations.fetch_add(1);
    TERCET_TRY(Artifact artifact,
               withoutExceptions<Artifact>("the compiler", [&] { return compiler->compile(spec, problem); }));
    if (useCache)
      if (Status status = cache.store(key, artifact); !status.ok())
        log(warnedOfCache.exchange(true) ? LogLevel::debug : LogLevel::warn, "{}", status.message());
    return load(std::move(artifact), problem.target);
  }

  std::shared_ptr<Compiler> compiler;
  std::shared_ptr<const rt::Workers> workers;
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
