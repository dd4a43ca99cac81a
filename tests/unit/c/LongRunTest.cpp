// Many launches and many threads on one kernel: nothing grows, and results do not depend on who else runs.
#include "CompiledKernel.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <random>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace tercet::test;

namespace {

/// Resident bytes of this process.
int64_t residentBytes() {
  int64_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

size_t openFiles() {
  auto entries = std::filesystem::directory_iterator("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(entries), end(entries)));
}

} // namespace

TEST_CASE("32 threads share a kernel", "[c][threads]") {
  SessionHandle session = newSession(2);
  KernelHandle kernel = compiled(session.get(), builtin("sparse_topk"), forDimension(32));
  auto run = [&](int64_t tokens) {
    TestCall call;
    call.addTokens(1, 2, tokens, tokens, 32);
    succeed(tercet_launch(kernel.get(), &call.withWorkspace(kernel.get()), nullptr));
    return call["o"].data;
  };
  std::vector<std::vector<float>> expected(32), found(32);
  for (int i = 0; i < 32; ++i)
    expected[size_t(i)] = run(64 + 5 * i);
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int i = 0; i < 32; ++i)
    threads.emplace_back([&, i] { // Catch's assertions are for one thread
      TestCall call;
      call.addTokens(1, 2, 64 + 5 * i, 64 + 5 * i, 32);
      tercet_call &view = call.view();
      std::vector<char> memory;
      for (int repetition = 0; repetition < 5; ++repetition) {
        failures += tercet_kernel_workspace(kernel.get(), &view, &view.workspace_bytes) != TERCET_OK;
        memory.resize(view.workspace_bytes + 64);
        view.workspace = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64);
        failures += tercet_launch(kernel.get(), &view, nullptr) != TERCET_OK;
      }
      found[size_t(i)] = call["o"].data;
    });
  for (std::thread &thread : threads)
    thread.join();
  CHECK(failures == 0);
  CHECK(found == expected);
}

TEST_CASE("a forked child launches kernels of its parent, and lets go of them", "[c][threads]") {
  SessionHandle session = newSession(4);
  KernelHandle kernel = compiled(session.get(), builtin("dense"), forDimension(32));
  TestCall call;
  call.addTokens(1, 4, 300, 300, 32);
  tercet_call &view = call.withWorkspace(kernel.get());
  succeed(tercet_launch(kernel.get(), &view, nullptr));
  std::vector<float> expected = call["o"].data;
  tercet_spec other = builtin("sla");
  tercet_compile_options options = forDimension(64);
  succeed(tercet_compile_async(
      session.get(), &other, &options, [](void *, tercet_status, tercet_kernel *made) { tercet_kernel_destroy(made); },
      nullptr));
  pid_t child = fork(); // perhaps amid the compilation
  if (child == 0) {
    alarm(60); // a hang is a failure
    std::fill(call["o"].data.begin(), call["o"].data.end(), 0.0F);
    bool good = tercet_launch(kernel.get(), &view, nullptr) == TERCET_OK && call["o"].data == expected;
    kernel.reset();
    session.reset();
    _exit(good ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  succeed(tercet_launch(kernel.get(), &view, nullptr));
}

TEST_CASE("100,000 launches with random shapes grow neither memory nor handles", "[c][long]") {
  SessionHandle session = newSession();
  KernelHandle kernel = compiled(session.get(), builtin("sla"), forDimension(16));
  constexpr int64_t mostTokens = 96, mostHeads = 3;
  TestCall call;
  call.addTokens(2, mostHeads, mostTokens, mostTokens, 16);
  call.add("w", {16, 16});
  call.add("b", {16});
  tercet_call &view = call.withWorkspace(kernel.get());
  size_t most = view.workspace_bytes;
  std::mt19937 random(1);
  auto upTo = [&](int64_t limit) { return 1 + static_cast<int64_t>(random() % static_cast<uint64_t>(limit)); };
  auto launches = [&](int count) {
    int failures = 0;
    for (int i = 0; i < count; ++i) {
      int64_t batch = upTo(2), heads = upTo(mostHeads), queries = upTo(mostTokens), keys = upTo(mostTokens);
      for (const char *name : {"q", "k", "v", "o"}) {
        TestCall::Owned &tensor = call[name];
        tensor.shape = {batch, heads, name[0] == 'k' || name[0] == 'v' ? keys : queries, 16};
        tensor.tensor.shape = tensor.shape.data();
      }
      failures += tercet_kernel_workspace(kernel.get(), &view, &view.workspace_bytes) != TERCET_OK;
      failures += view.workspace_bytes > most;
      view.workspace_bytes = most;
      failures += tercet_launch(kernel.get(), &view, nullptr) != TERCET_OK;
      if (i % 64 == 0) // failures, too, must leave nothing behind
        failures += tercet_launch(kernel.get(), nullptr, nullptr) != TERCET_INVALID_ARGUMENT;
    }
    return failures;
  };
  CHECK(launches(5000) == 0);
  int64_t resident = residentBytes();
  size_t files = openFiles();
  CHECK(launches(95000) == 0);
  CHECK(residentBytes() - resident < 256 << 10); // a leak of 3 bytes per launch would show
  CHECK(openFiles() == files);
}

TEST_CASE("kernels, artifacts and sessions leave nothing behind", "[c][long]") {
  tercet_artifact *artifact = nullptr;
  succeed(tercet_kernel_artifact(denseKernel(), &artifact));
  ArtifactHandle held(artifact);
  auto open = [&](int count) {
    for (int i = 0; i < count; ++i) {
      SessionHandle session = newSession(2);
      tercet_kernel *kernel = nullptr;
      succeed(tercet_load(session.get(), artifact, "cpu", TERCET_INFERENCE, &kernel));
      KernelHandle owned(kernel);
    }
  };
  open(20);
  int64_t resident = residentBytes();
  size_t files = openFiles();
  open(300);
  CHECK(residentBytes() - resident < 1 << 20);
  CHECK(openFiles() == files);
}
