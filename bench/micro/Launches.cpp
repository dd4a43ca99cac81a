// What a call costs beyond its work, through the C interface and in one thread: a launch of one token, where kernels have next to
// nothing to do; the checks and sizes alone, which are a launch that is refused for its workspace; and a kernel from the disk cache.
// Medians of 21 repetitions of a millisecond or more, in microseconds; from disk: of 21 new sessions.
#include "tercet/tercet.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace {

constexpr int64_t dim = 64;
constexpr int repetitions = 21;

void check(tercet_status status) {
  if (status == TERCET_OK)
    return;
  fmt::print(stderr, "tercet-launches: {}: {}\n", tercet_status_name(status), tercet_error_message());
  std::exit(1);
}

double secondsOf(const std::function<void()> &work) {
  auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  return samples[samples.size() / 2];
}

/// Microseconds of one call, each sample over so many that they last a millisecond.
double microseconds(const std::function<void()> &call) {
  int count = 1;
  auto many = [&] {
    for (int i = 0; i < count; ++i)
      call();
  };
  while (secondsOf(many) < 1e-3)
    count *= 2;
  std::vector<double> samples;
  for (int i = 0; i < repetitions; ++i)
    samples.push_back(secondsOf(many) / count * 1e6);
  return median(std::move(samples));
}

tercet_session *newSession(const std::string &cache) {
  tercet_session_options options = TERCET_SESSION_OPTIONS_INIT;
  options.threads = 1;
  options.cache_directory = cache.c_str();
  tercet_session *session = nullptr;
  check(tercet_session_create(&options, &session));
  return session;
}

tercet_kernel *compile(tercet_session *session, const char *spec) {
  tercet_spec named = TERCET_SPEC_INIT;
  named.name = spec;
  tercet_compile_options options = TERCET_COMPILE_OPTIONS_INIT;
  options.head_dim = dim;
  tercet_kernel *kernel = nullptr;
  check(tercet_compile(session, &named, &options, &kernel));
  return kernel;
}

/// A call with every needed argument, of batch and heads 1.
struct Call {
  std::map<std::string, std::vector<float>> data;
  std::map<std::string, std::vector<int64_t>> shapes;
  std::map<std::string, DLTensor> tensors;
  std::vector<tercet_named_tensor> named;
  std::unique_ptr<void, decltype(&std::free)> workspace{nullptr, std::free};
  tercet_call call = TERCET_CALL_INIT;

  Call(const tercet_kernel *kernel, int64_t tokens) {
    for (size_t index = 0; index < tercet_kernel_argument_count(kernel); ++index) {
      tercet_argument argument = TERCET_ARGUMENT_INIT;
      check(tercet_kernel_argument(kernel, index, &argument));
      if (argument.is_optional)
        continue;
      int64_t shape[4] = {1, 1, tokens, dim};
      int32_t rank = 4;
      if (index >= 3)
        check(tercet_kernel_shape(kernel, &call, argument.name, shape, &rank));
      int64_t count = 1;
      for (int axis = 0; axis < rank; ++axis)
        count *= shape[axis];
      std::vector<int64_t> &kept = shapes[argument.name];
      kept.assign(shape, shape + rank);
      std::vector<float> &values = data[argument.name];
      values.assign(static_cast<size_t>(count), 0.25F);
      tensors[argument.name] = {values.data(), {kDLCPU, 0}, rank, argument.dtype, kept.data(), nullptr, 0};
      named.push_back({argument.name, &tensors[argument.name]});
      call.tensors = named.data();
      call.tensor_count = named.size();
    }
    check(tercet_kernel_workspace(kernel, &call, &call.workspace_bytes));
    workspace.reset(std::aligned_alloc(64, call.workspace_bytes / 64 * 64 + 64));
    call.workspace = workspace.get();
  }
};

} // namespace

int main() {
  std::string cache = (std::filesystem::temp_directory_path() / "tercet-launches-XXXXXX").string();
  if (!mkdtemp(cache.data()))
    return 1;
  fmt::print("{:<14} {:>16} {:>16} {:>16} {:>20}\n", "spec", "launch of 1", "checks, sizes", "workspace query",
             "from disk, ms");
  for (const char *spec : {"dense", "sparse_topk", "sla", "nsa"}) {
    tercet_session *session = newSession(cache);
    tercet_kernel *kernel = compile(session, spec);
    Call one(kernel, 1);
    tercet_call refused = one.call;
    refused.workspace_bytes = 0;
    double launch = microseconds([&] { check(tercet_launch(kernel, &one.call, nullptr)); });
    double checks = microseconds([&] { (void)tercet_launch(kernel, &refused, nullptr); });
    double query = microseconds([&] { check(tercet_kernel_workspace(kernel, &one.call, &one.call.workspace_bytes)); });
    tercet_kernel_destroy(kernel);
    tercet_session_destroy(session);
    std::vector<double> warm;
    for (int i = 0; i < repetitions; ++i) {
      tercet_session *again = newSession(cache);
      tercet_kernel *loaded = nullptr;
      warm.push_back(secondsOf([&] { loaded = compile(again, spec); }) * 1e3);
      tercet_kernel_destroy(loaded);
      tercet_session_destroy(again);
    }
    fmt::print("{:<14} {:>16.2f} {:>16.2f} {:>16.2f} {:>20.2f}\n", spec, launch, checks, query,
               median(std::move(warm)));
  }
  std::filesystem::remove_all(cache);
}
