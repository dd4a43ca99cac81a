// libtercet_runtime.so: artifacts without a compiler. The artifact's kernel is of a module built beside the tests.
#include "TestCall.h"

#include "unit/runtime/SampleModule.h"

#include <atomic>
#include <thread>

using namespace tercet::test;

namespace {

ArtifactHandle sampleArtifact() {
  std::vector<uint8_t> bytes = sampleModuleArtifact(1).serialize();
  tercet_artifact *artifact = nullptr;
  succeed(tercet_artifact_read(bytes.data(), bytes.size(), &artifact));
  return ArtifactHandle(artifact);
}

/// The sample's kernel writes 100 + item as int64 over o.
void addSample(TestCall &call, int64_t tokens) {
  call.add("q", {1, 1, tokens, 1});
  call.add("k", {1, 1, 1, 1});
  call.add("v", {1, 1, 1, 2});
  call.add("o", {1, 1, tokens, 2});
}

} // namespace

TEST_CASE("the runtime library has no compiler and says so", "[c]") {
  CHECK(tercet_has_compiler() == 0);
  CHECK(std::string(tercet_version()) == TERCET_VERSION_STRING);
  SessionHandle session = newSession();
  tercet_spec spec = TERCET_SPEC_INIT;
  spec.name = "sla";
  tercet_compile_options options = TERCET_COMPILE_OPTIONS_INIT;
  options.head_dim = 64;
  tercet_kernel *kernel = nullptr;
  tercet_artifact *artifact = nullptr;
  char *json = nullptr;
  const char *advice = "load an artifact, or use libtercet";
  fail(tercet_compile(session.get(), &spec, &options, &kernel), TERCET_UNSUPPORTED_TARGET, {"tercet_compile", advice});
  fail(tercet_compile_artifact(&spec, &options, &artifact), TERCET_UNSUPPORTED_TARGET, {advice});
  fail(tercet_specs(&json), TERCET_UNSUPPORTED_TARGET, {advice});
  fail(tercet_spec_describe(&spec, &json), TERCET_UNSUPPORTED_TARGET, {advice});
}

TEST_CASE("32 threads launch one loaded kernel", "[c][threads]") {
  SessionHandle session = newSession(2);
  tercet_kernel *made = nullptr;
  succeed(tercet_load(session.get(), sampleArtifact().get(), "cpu", TERCET_INFERENCE, &made));
  KernelHandle kernel(made);
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int64_t number = 0; number < 32; ++number)
    threads.emplace_back([&, number] { // Catch's assertions are for one thread
      TestCall call;
      addSample(call, 3 + number);
      tercet_call &view = call.view();
      alignas(64) char workspace[4096];
      view.workspace = workspace;
      view.workspace_bytes = sizeof workspace;
      for (int repetition = 0; repetition < 20; ++repetition) {
        failures += tercet_launch(kernel.get(), &view, nullptr) != TERCET_OK;
        auto *written = reinterpret_cast<const int64_t *>(call["o"].data.data());
        failures += written[0] != 100 || written[number + 2] != 102 + number;
        failures += tercet_launch(kernel.get(), nullptr, nullptr) != TERCET_INVALID_ARGUMENT;
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  CHECK(failures == 0);
}
