// The C interface for C++17: handles that free themselves, Status and Result<T> instead of codes, tensors with their shape inside.
// All of it is inline over tercet.h, so that a host may have any compiler, standard library and flags; it needs nothing else.
#ifndef TERCET_TERCET_HPP
#define TERCET_TERCET_HPP

#include "tercet/values.hpp"

#include <functional>
#include <map>
#include <memory>

namespace tercet {
inline namespace host {

/// Tensors by argument name, inputs and outputs; runtime parameters by name (others keep the kernel's defaults).
struct Arguments {
  std::vector<std::pair<std::string, Tensor>> tensors;
  std::vector<std::pair<std::string, double>> parameters = {};
};

/// A built-in spec by name, or one as text (just one of them), with settings of its parameters.
struct Spec {
  std::string name, text, origin;
  std::map<std::string, std::string> settings;

  static Spec builtin(std::string name, std::map<std::string, std::string> settings = {}) {
    return {std::move(name), {}, {}, std::move(settings)};
  }
  static Spec ofText(std::string text, std::map<std::string, std::string> settings = {}) {
    return {{}, std::move(text), {}, std::move(settings)};
  }
};

enum class Direction { inference, forward, backward };

/// What binds at compile time besides the spec's static parameters.
struct Problem {
  int64_t headDim = 0, valueDim = 0; ///< valueDim 0: headDim
  DType dtype = DType::f32;
  std::string target = "cpu";
  Direction direction = Direction::inference;
  bool deterministic = false; ///< the default schedules, whatever was tuned
  /// Calls to expect, for which tuned schedules are looked up; the kernel takes any other call, too.
  struct Expected {
    int64_t batch = 0, heads = 0, keyHeads = 0, queries = 0, keys = 0; ///< queries 0: not known; others: as in tercet.h
    double kept = 0; ///< the share of blocks that are computed exactly; 0: not known
  } expected = {};
};

/// Runs body(item, worker) for item in [0, count) on any threads and returns when all are done; never throws.
using ParallelFor = std::function<void(int64_t count, const std::function<void(int64_t item, int worker)> &body)>;

struct SessionOptions {
  int threads = 0; ///< 0: TERCET_THREADS, else all cores
  bool useCache = true;
  std::string cacheDirectory;   ///< empty: TERCET_CACHE_DIR, else the user's cache directory
  ParallelFor parallelFor = {}; ///< empty: threads of the session
};

namespace details {

/// Text that the interface gave, as a string.
inline std::string taken(char *text) {
  std::string copy = text ? text : "";
  tercet_text_free(text);
  return copy;
}

/// Structs of tercet.h over the strings of a Spec and a Problem, which stay where they are.
struct CompileCall {
  std::vector<tercet_setting> settings;
  tercet_spec spec = TERCET_SPEC_INIT;
  tercet_compile_options options = TERCET_COMPILE_OPTIONS_INIT;

  CompileCall(const Spec &given, const Problem &problem) {
    for (const auto &[name, value] : given.settings)
      settings.push_back({name.c_str(), value.c_str()});
    auto orNull = [](const std::string &text) { return text.empty() ? nullptr : text.c_str(); };
    spec.name = orNull(given.name);
    spec.text = orNull(given.text);
    spec.origin = orNull(given.origin);
    spec.settings = settings.data();
    spec.setting_count = settings.size();
    options.head_dim = problem.headDim;
    options.value_dim = problem.valueDim;
    options.dtype = dlpackType(problem.dtype);
    options.target = problem.target.c_str();
    options.direction = static_cast<tercet_direction>(problem.direction);
    options.deterministic = problem.deterministic;
    options.expected_batch = problem.expected.batch;
    options.expected_heads = problem.expected.heads;
    options.expected_key_heads = problem.expected.keyHeads;
    options.expected_queries = problem.expected.queries;
    options.expected_keys = problem.expected.keys;
    options.expected_kept = problem.expected.kept;
  }
  CompileCall(const CompileCall &) = delete;
};

/// A tercet_call over Arguments, which stay where they are.
struct LaunchCall {
  std::vector<DLTensor> views;
  std::vector<tercet_named_tensor> tensors;
  std::vector<tercet_named_value> values;
  tercet_call call = TERCET_CALL_INIT;

  explicit LaunchCall(const Arguments &arguments) {
    views.reserve(arguments.tensors.size());
    tensors.reserve(arguments.tensors.size());
    for (const auto &[name, tensor] : arguments.tensors) {
      views.push_back(tensor.dlpack());
      tensors.push_back({name.c_str(), &views.back()});
    }
    for (const auto &[name, value] : arguments.parameters)
      values.push_back({name.c_str(), value});
    call.tensors = tensors.data();
    call.tensor_count = tensors.size();
    call.parameters = values.data();
    call.parameter_count = values.size();
  }
  LaunchCall(const LaunchCall &) = delete;
};

} // namespace details

/// A compiled spec: what a file of `tercet compile` holds. Copies share it.
class Artifact {
public:
  explicit Artifact(tercet_artifact *owned) : shared(owned, tercet_artifact_destroy) {}
  static Result<Artifact> load(const std::string &path) {
    tercet_artifact *artifact = nullptr;
    Status status = Status::of(tercet_artifact_load(path.c_str(), &artifact));
    return status ? Result<Artifact>(Artifact(artifact)) : status;
  }
  static Result<Artifact> parse(const void *bytes, size_t size) {
    tercet_artifact *artifact = nullptr;
    Status status = Status::of(tercet_artifact_read(bytes, size, &artifact));
    return status ? Result<Artifact>(Artifact(artifact)) : status;
  }
  /// For a target that need not be here.
  static Result<Artifact> compile(const Spec &spec, const Problem &problem) {
    details::CompileCall call(spec, problem);
    tercet_artifact *artifact = nullptr;
    Status status = Status::of(tercet_compile_artifact(&call.spec, &call.options, &artifact));
    return status ? Result<Artifact>(Artifact(artifact)) : status;
  }
  Status save(const std::string &path) const { return Status::of(tercet_artifact_save(get(), path.c_str())); }
  const tercet_artifact *get() const { return shared.get(); }

private:
  std::shared_ptr<tercet_artifact> shared;
};

/// A compiled spec bound to a device. Immutable: may be launched from many threads, each call with its own workspace.
class Kernel {
public:
  /// loop: what the kernel's session runs its items on, if not threads of its own.
  explicit Kernel(tercet_kernel *owned, std::shared_ptr<const ParallelFor> loop = {})
      : loop(std::move(loop)), shared(owned, tercet_kernel_destroy) {}
  /// The shape of argument `name` beside q, k and v, whose data are not read.
  Result<std::vector<int64_t>> shape(const Arguments &arguments, const std::string &name) const {
    details::LaunchCall call(arguments);
    int64_t extents[4] = {};
    int32_t rank = 0;
    Status status = Status::of(tercet_kernel_shape(get(), &call.call, name.c_str(), extents, &rank));
    return status ? Result<std::vector<int64_t>>(std::vector<int64_t>(extents, extents + rank)) : status;
  }
  /// Bytes of workspace that a launch needs; data are not read.
  Result<size_t> workspaceBytes(const Arguments &arguments) const {
    details::LaunchCall call(arguments);
    size_t bytes = 0;
    Status status = Status::of(tercet_kernel_workspace(get(), &call.call, &bytes));
    return status ? Result<size_t>(bytes) : status;
  }
  /// Returns when outputs are written. workspace: 64-byte aligned (128 on a GPU). report: JSON, as tercet_launch.
  Status launch(const Arguments &arguments, void *workspace, size_t bytes, std::string *report = nullptr) const {
    details::LaunchCall call(arguments);
    call.call.workspace = workspace;
    call.call.workspace_bytes = bytes;
    char *text = nullptr;
    Status status = Status::of(tercet_launch(get(), &call.call, report ? &text : nullptr));
    if (report)
      *report = details::taken(text);
    return status;
  }
  /// Queues on `stream` (a CUstream) and returns; on a CPU: launch.
  Status enqueue(const Arguments &arguments, void *workspace, size_t bytes, void *stream) const {
    details::LaunchCall call(arguments);
    call.call.workspace = workspace;
    call.call.workspace_bytes = bytes;
    call.call.stream = stream;
    return Status::of(tercet_enqueue(get(), &call.call));
  }
  /// Names and texts live as long as the kernel.
  std::vector<tercet_argument> arguments() const {
    std::vector<tercet_argument> all(tercet_kernel_argument_count(get()), tercet_argument TERCET_ARGUMENT_INIT);
    for (size_t index = 0; index < all.size(); ++index)
      (void)tercet_kernel_argument(get(), index, &all[index]);
    return all;
  }
  std::vector<tercet_parameter> parameters() const {
    std::vector<tercet_parameter> all(tercet_kernel_parameter_count(get()), tercet_parameter TERCET_PARAMETER_INIT);
    for (size_t index = 0; index < all.size(); ++index)
      (void)tercet_kernel_parameter(get(), index, &all[index]);
    return all;
  }
  /// JSON, as tercet_kernel_describe.
  std::string describe() const {
    char *text = nullptr;
    (void)tercet_kernel_describe(get(), &text);
    return details::taken(text);
  }
  Result<Artifact> artifact() const {
    tercet_artifact *artifact = nullptr;
    Status status = Status::of(tercet_kernel_artifact(get(), &artifact));
    return status ? Result<Artifact>(Artifact(artifact)) : status;
  }
  const tercet_kernel *get() const { return shared.get(); }

private:
  std::shared_ptr<const ParallelFor> loop; // destroyed last
  std::shared_ptr<tercet_kernel> shared;
};

/// Threads, a cache, and a compiler where the library has one. Thread-safe. Copies share it.
class Session {
public:
  static Result<Session> create(const SessionOptions &options = {}) {
    Session session;
    tercet_session_options given = TERCET_SESSION_OPTIONS_INIT;
    given.threads = options.threads;
    given.no_cache = options.useCache ? 0 : 1;
    given.cache_directory = options.cacheDirectory.empty() ? nullptr : options.cacheDirectory.c_str();
    if (options.parallelFor) {
      session.loop = std::make_shared<const ParallelFor>(options.parallelFor);
      given.parallel_for = runLoop;
      given.parallel_for_user = const_cast<ParallelFor *>(session.loop.get());
    }
    tercet_session *made = nullptr;
    if (Status status = Status::of(tercet_session_create(&given, &made)); !status)
      return status;
    session.shared.reset(made, tercet_session_destroy);
    return session;
  }
  /// Compiles, or takes what the session or the cache holds.
  Result<Kernel> compile(const Spec &spec, const Problem &problem) const {
    details::CompileCall call(spec, problem);
    tercet_kernel *kernel = nullptr;
    Status status = Status::of(tercet_compile(get(), &call.spec, &call.options, &kernel));
    return status ? Result<Kernel>(Kernel(kernel, loop)) : status;
  }
  /// The same in the background: `done` is called once, from another thread, unless this returns a failure.
  Status compileAsync(const Spec &spec, const Problem &problem, std::function<void(Result<Kernel>)> done) const {
    details::CompileCall call(spec, problem);
    auto held = std::make_unique<Pending>(Pending{std::move(done), loop});
    Status status = Status::of(tercet_compile_async(get(), &call.spec, &call.options, runDone, held.get()));
    if (status)
      (void)held.release(); // runDone frees it
    return status;
  }
  /// Binds an artifact to a device.
  Result<Kernel> load(const Artifact &artifact, const std::string &target = "cpu",
                      Direction direction = Direction::inference) const {
    tercet_kernel *kernel = nullptr;
    Status status = Status::of(
        tercet_load(get(), artifact.get(), target.c_str(), static_cast<tercet_direction>(direction), &kernel));
    return status ? Result<Kernel>(Kernel(kernel, loop)) : status;
  }
  tercet_session *get() const { return shared.get(); }

private:
  Session() = default;

  static void runLoop(void *user, int64_t count, tercet_work_item item, void *context) {
    (*static_cast<const ParallelFor *>(user))(count, [&](int64_t i, int worker) { item(context, i, worker); });
  }
  struct Pending {
    std::function<void(Result<Kernel>)> done;
    std::shared_ptr<const ParallelFor> loop;
  };
  static void runDone(void *user, tercet_status status, tercet_kernel *kernel) {
    std::unique_ptr<Pending> held(static_cast<Pending *>(user));
    held->done(status == TERCET_OK ? Result<Kernel>(Kernel(kernel, held->loop)) : Result<Kernel>(Status::of(status)));
  }

  std::shared_ptr<const ParallelFor> loop; // destroyed after the session
  std::shared_ptr<tercet_session> shared;
};

} // namespace host
} // namespace tercet

#endif
