// A host without memory: the allocations of every call that loads, asks or runs are refused in turn. The call succeeds without one or
// says that there is no memory, leaves nothing behind, and the next one works. Inside of the compiler, LLVM ends the process instead;
// and calls that read or write JSON do where even 4 KiB are refused, for values of its library allocate as they are destroyed.
#include "CompiledKernel.h"
#include "MemoryFaults.h"

#include "unit/runtime/TempDir.h"

#include <cstring>
#include <filesystem>
#include <functional>

using namespace tercet::test;

namespace {

size_t openFiles() {
  auto entries = std::filesystem::directory_iterator("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(entries), end(entries)));
}

/// What a failure keeps for the thread is memory, too: the same for all from here on.
void settle() { (void)tercet_session_describe(nullptr, nullptr); }

enum class Sizes : size_t { any = 0, large = 4096 };

/// Refuses each allocation of `call` in turn, and from each one on. `call` gives back what it made. How many there are.
long refuseEach(const std::string &name, Sizes sizes, const std::function<tercet_status()> &call,
                tercet_status expected = TERCET_OK) {
  INFO(name);
  REQUIRE(call() == expected); // and what is made once per process or thread is there
  long refused = 0;
  for (Refuse which : {Refuse::one, Refuse::all}) {
    bool wasRefused = true;
    for (long number = 1; wasRefused; ++number) {
      settle();
      long alive = liveAllocations();
      size_t files = openFiles();
      refuseAllocation(which, number, static_cast<size_t>(sizes));
      tercet_status status = call();
      wasRefused = allowAllocations();
      bool isTold = status == expected || (wasRefused && status == TERCET_INTERNAL &&
                                           std::strcmp(tercet_error_message(), "the host is out of memory") == 0);
      if (!isTold)
        FAIL_CHECK(name << ": allocation " << number << " refused gives " << tercet_status_name(status) << ": "
                        << tercet_error_message());
      settle();
      if (liveAllocations() != alive || openFiles() != files)
        FAIL_CHECK(name << ": allocation " << number << " refused leaves " << liveAllocations() - alive
                        << " allocations and " << long(openFiles()) - long(files) << " files");
      refused += wasRefused;
    }
  }
  CHECK(call() == expected);
  return refused;
}

tercet_status freed(tercet_status status, char *text) {
  tercet_text_free(text);
  return status;
}

/// Tensors for every needed argument of a kernel, and a call of them.
struct WholeCall {
  TestCall call;
  tercet_call view;

  WholeCall(const tercet_kernel *kernel, int64_t dim) {
    call.addTokens(1, 2, 130, 130, dim);
    for (size_t index = 0; index < tercet_kernel_argument_count(kernel); ++index) {
      tercet_argument argument = TERCET_ARGUMENT_INIT;
      succeed(tercet_kernel_argument(kernel, index, &argument));
      int64_t shape[4];
      int32_t rank = 0;
      if (argument.is_optional || std::string("qkvo").find(argument.name) != std::string::npos)
        continue;
      succeed(tercet_kernel_shape(kernel, &call.view(), argument.name, shape, &rank));
      call.add(argument.name, {shape, shape + rank});
    }
    view = call.withWorkspace(kernel);
  }
};

} // namespace

TEST_CASE("sessions without memory", "[memory]") {
  for (int threads : {1, 3})
    refuseEach("tercet_session_create", Sizes::any, [&] {
      tercet_session_options options = TERCET_SESSION_OPTIONS_INIT;
      options.threads = threads;
      options.cache_directory = "/nowhere";
      tercet_session *session = nullptr;
      tercet_status status = tercet_session_create(&options, &session);
      tercet_session_destroy(session);
      return status;
    });
  SessionHandle session = newSession();
  refuseEach("tercet_session_describe", Sizes::large, [&] {
    char *text = nullptr;
    return freed(tercet_session_describe(session.get(), &text), text);
  });
  const std::string nowhere(500, 'x');
  refuseEach(
      "a failure with a long message", Sizes::any,
      [&] {
        tercet_artifact *artifact = nullptr;
        return tercet_artifact_load(nowhere.c_str(), &artifact);
      },
      TERCET_INVALID_ARGUMENT);
}

TEST_CASE("artifacts without memory", "[memory]") {
  TempDir dir;
  std::string path = dir.path() / "dense.tercet", other = dir.path() / "other.tercet";
  tercet_artifact *made = nullptr;
  succeed(tercet_kernel_artifact(denseKernel(), &made));
  ArtifactHandle artifact(made);
  succeed(tercet_artifact_save(made, path.c_str()));
  refuseEach("tercet_kernel_artifact", Sizes::any, [&] {
    tercet_artifact *copy = nullptr;
    tercet_status status = tercet_kernel_artifact(denseKernel(), &copy);
    tercet_artifact_destroy(copy);
    return status;
  });
  long loads = refuseEach("tercet_artifact_load", Sizes::large, [&] {
    tercet_artifact *read = nullptr;
    tercet_status status = tercet_artifact_load(path.c_str(), &read);
    tercet_artifact_destroy(read);
    return status;
  });
  CHECK(loads >= 4); // the file and its code
  CHECK(refuseEach("tercet_artifact_save", Sizes::large, [&] { return tercet_artifact_save(made, other.c_str()); }) >=
        2);
  for (const auto &file : std::filesystem::directory_iterator(dir.path()))
    CHECK((file.path() == path || file.path() == other));
  refuseEach("tercet_artifact_describe", Sizes::large, [&] {
    char *text = nullptr;
    return freed(tercet_artifact_describe(made, &text), text);
  });
  SessionHandle session = newSession();
  refuseEach("tercet_load", Sizes::any, [&] {
    tercet_kernel *kernel = nullptr;
    tercet_status status = tercet_load(session.get(), made, "cpu", TERCET_INFERENCE, &kernel);
    tercet_kernel_destroy(kernel);
    return status;
  });
}

TEST_CASE("kernels and launches without memory", "[memory]") {
  SessionHandle session = newSession(2);
  for (const char *spec : {"dense", "sla", "nsa"}) {
    KernelHandle handle = compiled(session.get(), builtin(spec), forDimension(32));
    const tercet_kernel *kernel = handle.get();
    WholeCall whole(kernel, 32);
    std::string name = spec;
    refuseEach(name + ": tercet_kernel_describe", Sizes::large, [&] {
      char *text = nullptr;
      return freed(tercet_kernel_describe(kernel, &text), text);
    });
    refuseEach(name + ": tercet_kernel_argument", Sizes::any, [&] {
      tercet_argument argument = TERCET_ARGUMENT_INIT;
      return tercet_kernel_argument(kernel, 0, &argument);
    });
    refuseEach(name + ": tercet_kernel_shape", Sizes::any, [&] {
      int64_t shape[4];
      int32_t rank = 0;
      return tercet_kernel_shape(kernel, &whole.view, "o", shape, &rank);
    });
    refuseEach(name + ": tercet_kernel_workspace", Sizes::any, [&] {
      size_t bytes = 0;
      return tercet_kernel_workspace(kernel, &whole.view, &bytes);
    });
    CHECK(refuseEach(name + ": tercet_launch", Sizes::any,
                     [&] { return tercet_launch(kernel, &whole.view, nullptr); }) >= 20);
    refuseEach(name + ": tercet_enqueue", Sizes::any, [&] { return tercet_enqueue(kernel, &whole.view); });
    refuseEach(name + ": tercet_launch with a report", Sizes::large, [&] {
      char *text = nullptr;
      return freed(tercet_launch(kernel, &whole.view, &text), text);
    });
    tercet_call wrong = whole.view;
    wrong.workspace_bytes = 1;
    refuseEach(
        name + ": a launch that is refused", Sizes::any, [&] { return tercet_launch(kernel, &wrong, nullptr); },
        TERCET_INVALID_ARGUMENT);
  }
}
