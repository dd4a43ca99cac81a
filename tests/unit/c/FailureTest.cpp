// Refusals of the C interface in detail, beyond the table of all functions (FailureTable.h): the right status and a sentence that says what,
// where, and what is legal; nothing is written then.
#include "CompiledKernel.h"

#include "unit/runtime/TempDir.h"

#include <cstring>
#include <fstream>
#include <thread>

using namespace tercet::test;

namespace {

constexpr tercet_status wrong = TERCET_INVALID_ARGUMENT;

/// A call that is legal but for what `change` does to it, and must be refused with these words, untouched.
template <typename Change> void refused(Change change, std::vector<std::string> parts) {
  TestCall call;
  call.addTokens(1, 2, 70, 50, 32);
  call.withWorkspace(denseKernel());
  std::vector<float> before = call["o"].data;
  change(call);
  fail(tercet_launch(denseKernel(), &call.view(), nullptr), wrong, parts);
  fail(tercet_enqueue(denseKernel(), &call.view()), wrong, parts);
  CHECK(call["o"].data == before);
}

} // namespace

TEST_CASE("null handles are counted and destroyed as nothing", "[c][failure]") {
  CHECK(tercet_kernel_argument_count(nullptr) == 0);
  CHECK(tercet_kernel_parameter_count(nullptr) == 0);
  tercet_session_destroy(nullptr);
  tercet_kernel_destroy(nullptr);
  tercet_artifact_destroy(nullptr);
  tercet_text_free(nullptr);
}

TEST_CASE("structs of other versions are taken or refused by their size", "[c][failure]") {
  SessionHandle session = newSession();
  tercet_spec spec = builtin("dense");
  tercet_compile_options options = forDimension(32);
  tercet_kernel *kernel = nullptr;
  options.struct_size = 0;
  fail(tercet_compile(session.get(), &spec, &options, &kernel), wrong,
       {"tercet_compile_options has struct_size 0", "_INIT"});
  CHECK(kernel == nullptr);
  spec.struct_size = 8;
  options = forDimension(32);
  fail(tercet_compile(session.get(), &spec, &options, &kernel), wrong, {"tercet_spec has struct_size 8"});
  tercet_session_options sessionOptions = TERCET_SESSION_OPTIONS_INIT;
  sessionOptions.struct_size = 1 << 20;
  tercet_session *other = nullptr;
  fail(tercet_session_create(&sessionOptions, &other), wrong, {"tercet_session_options has struct_size 1048576"});
  tercet_argument argument = TERCET_ARGUMENT_INIT;
  argument.struct_size = 3;
  fail(tercet_kernel_argument(denseKernel(), 0, &argument), wrong, {"tercet_argument has struct_size 3"});
  struct Newer {
    tercet_call call = TERCET_CALL_INIT;
    uint64_t more = 0;
  } newer;
  newer.call.struct_size = sizeof newer;
  size_t bytes = 0;
  fail(tercet_kernel_workspace(denseKernel(), &newer.call, &bytes), wrong, {"tensor 'q' is missing"}); // size is fine
  newer.more = 1;
  fail(tercet_kernel_workspace(denseKernel(), &newer.call, &bytes), wrong,
       {"tercet_call has struct_size", "does not know", tercet_version()});
}

TEST_CASE("specs, settings and targets that do not exist", "[c][failure]") {
  SessionHandle session = newSession();
  tercet_compile_options options = forDimension(32);
  tercet_kernel *kernel = nullptr;
  auto compile = [&](const tercet_spec &spec) { return tercet_compile(session.get(), &spec, &options, &kernel); };
  fail(compile(builtin("slaa")), wrong, {"no built-in spec 'slaa'", "did you mean 'sla'?"});
  tercet_spec both = builtin("sla"), none = TERCET_SPEC_INIT;
  both.text = "x";
  fail(compile(both), wrong, {"a name and a text"});
  fail(compile(none), wrong, {"neither a name nor a text"});
  tercet_spec text = TERCET_SPEC_INIT;
  text.text = "tercet.spec @x(\n";
  text.origin = "my.mlir";
  fail(compile(text), TERCET_INVALID_SPEC, {"my.mlir:"});
  tercet_spec sla = builtin("sla");
  tercet_setting setting = {"kep", "0.1"};
  sla.settings = &setting;
  sla.setting_count = 1;
  fail(compile(sla), TERCET_INVALID_SPEC, {"kep", "keep"});
  setting = {"keep", "many"};
  fail(compile(sla), TERCET_INVALID_SPEC, {"keep", "many"});
  setting = {"keep", nullptr};
  fail(compile(sla), wrong, {"settings[0] has no value"});
  sla.settings = nullptr;
  fail(compile(sla), wrong, {"1 settings at NULL"});
  options.target = "tpu";
  fail(compile(builtin("sla")), TERCET_UNSUPPORTED_TARGET, {"tpu", "cpu"});
  options.target = "cuda:9";
  fail(compile(builtin("sla")), TERCET_DEVICE_UNAVAILABLE, {});
  options = forDimension(0);
  fail(compile(builtin("sla")), wrong, {"head_dim 0", "at least 1"});
  options = forDimension(32);
  options.dtype = {kDLInt, 64, 1};
  fail(compile(builtin("sla")), wrong, {"dtype int64", "float32, float16 and bfloat16"});
  options = forDimension(32);
  options.direction = static_cast<tercet_direction>(7);
  fail(compile(builtin("sla")), wrong, {"direction 7", "TERCET_BACKWARD (2)"});
  CHECK(kernel == nullptr);
}

TEST_CASE("threads, levels and indices out of range", "[c][failure]") {
  tercet_session_options options = TERCET_SESSION_OPTIONS_INIT;
  options.threads = -1;
  tercet_session *session = nullptr;
  fail(tercet_session_create(&options, &session), wrong, {"-1 threads", "1 to 4096"});
  fail(tercet_set_log([](void *, int32_t, const char *) {}, nullptr, 9), wrong, {"level is 9"});
  succeed(tercet_set_log(nullptr, nullptr, 0));
  tercet_argument argument = TERCET_ARGUMENT_INIT;
  fail(tercet_kernel_argument(denseKernel(), 99, &argument), wrong, {"index is 99", "arguments"});
  tercet_parameter parameter = TERCET_PARAMETER_INIT;
  fail(tercet_kernel_parameter(denseKernel(), 99, &parameter), wrong, {"index is 99", "parameters"});
  CHECK(std::string(tercet_status_name(static_cast<tercet_status>(99))) == "unknown");
  CHECK(std::string(tercet_status_name(TERCET_LAUNCH_FAILED)) == "launchFailed");
}

TEST_CASE("artifacts that are not there, damaged, or of another direction", "[c][failure]") {
  TempDir dir;
  std::string path = dir.path() / "a.tercet";
  tercet_artifact *artifact = nullptr;
  fail(tercet_artifact_load(path.c_str(), &artifact), wrong, {path});
  std::ofstream(path) << "not an artifact";
  fail(tercet_artifact_load(path.c_str(), &artifact), wrong, {"artifact"});
  fail(tercet_artifact_read("short", 5, &artifact), wrong, {"artifact"});
  CHECK(artifact == nullptr);
  succeed(tercet_kernel_artifact(denseKernel(), &artifact));
  ArtifactHandle held(artifact);
  fail(tercet_artifact_save(artifact, (dir.path() / "no" / "such").c_str()), wrong, {"such"});
  SessionHandle session = newSession();
  tercet_kernel *kernel = nullptr;
  fail(tercet_load(session.get(), artifact, "cpu", TERCET_BACKWARD, &kernel), wrong, {"'dense'", "no backward"});
  fail(tercet_load(session.get(), artifact, "tpu", TERCET_INFERENCE, &kernel), TERCET_UNSUPPORTED_TARGET,
       {"'tpu'", "cpu"});
  fail(tercet_load(session.get(), artifact, "cpu", static_cast<tercet_direction>(-1), &kernel), wrong,
       {"direction is -1"});
  CHECK(kernel == nullptr);
}

TEST_CASE("tensors that a kernel cannot take", "[c][failure]") {
  refused([](TestCall &call) { call.remove("k"); }, {"tensor 'k' is missing"});
  refused([](TestCall &call) { call["v"].tensor.data = nullptr; }, {"'v' has data NULL"});
  refused([](TestCall &call) { call.add("key", {1}); }, {"no tensor 'key'", "q, k, v"});
  refused([](TestCall &call) { call.add("q", {1, 2, 70, 32}); }, {"'q' is given twice"});
  refused([](TestCall &call) { call["k"].shape[1] = 3; }, {"'q' has 2 heads and 'k' 3", "multiple"});
  refused([](TestCall &call) { call["o"].shape[2] = 69; }, {"'o' is [1, 2, 69, 32] f32", "must be [1, 2, 70, 32]"});
  refused([](TestCall &call) { call["q"].shape[3] = 31; }, {"head dimension 32"});
  refused([](TestCall &call) { call["q"].tensor.ndim = 3; }, {"'q' is [1, 2, 70] f32", "4 dimensions"});
  refused([](TestCall &call) { call["q"].tensor.ndim = 5; }, {"'q' has rank 5", "1 to 4"});
  refused([](TestCall &call) { call["q"].tensor.shape = nullptr; }, {"'q'", "no shape"});
  refused([](TestCall &call) { call["q"].strides[3] = 2; }, {"'q' has stride 2", "must be 1"});
  refused([](TestCall &call) { call["o"].strides[2] = 0; }, {"'o'", "must not share addresses"});
  refused([](TestCall &call) { call["q"].tensor.byte_offset = 2; }, {"'q' has the address", "multiple"});
  refused([](TestCall &call) { call["q"].tensor.dtype = {kDLFloat, 16, 1}; }, {"'q'", "f16", "compiled for f32"});
  refused([](TestCall &call) { call["q"].tensor.dtype = {kDLInt, 64, 1}; }, {"'q' is of int64", "float32"});
  refused([](TestCall &call) { call["q"].tensor.dtype.lanes = 4; }, {"'q' is of float32 x 4"});
  refused(
      [](TestCall &call) {
        call["q"].tensor.device = {kDLCUDA, 1};
      },
      {"'q' lies on a device of type 2 with number 1", "'cpu'", "kDLCPU (1)"});
  refused([](TestCall &call) { call.parameter("sharpness", 1); }, {"no runtime parameter 'sharpness'"});
  refused([](TestCall &call) { call.parameter(nullptr, 1); }, {"parameters[0] has no name"});
}

TEST_CASE("a call without memory or names", "[c][failure]") {
  TestCall owned;
  owned.addTokens(1, 2, 70, 50, 32);
  tercet_call call = owned.withWorkspace(denseKernel());
  tercet_call changed = call;
  changed.workspace_bytes -= 1;
  fail(tercet_launch(denseKernel(), &changed, nullptr), wrong,
       {fmt::format("workspace has {} bytes", changed.workspace_bytes), fmt::format("need {}", call.workspace_bytes)});
  changed = call;
  changed.workspace = static_cast<char *>(call.workspace) + 1;
  fail(tercet_launch(denseKernel(), &changed, nullptr), wrong, {"the workspace has the address", "multiple of 64"});
  changed.workspace = nullptr;
  fail(tercet_launch(denseKernel(), &changed, nullptr), wrong, {"workspace"});
  changed = call;
  changed.tensors = nullptr;
  fail(tercet_launch(denseKernel(), &changed, nullptr), wrong, {"4 tensors at NULL"});
  tercet_named_tensor nameless = {nullptr, call.tensors[0].tensor};
  changed.tensors = &nameless;
  changed.tensor_count = 1;
  fail(tercet_launch(denseKernel(), &changed, nullptr), wrong, {"tensors[0] has no name"});
  int64_t shape[4];
  int32_t rank = 0;
  fail(tercet_kernel_shape(denseKernel(), &call, "oh", shape, &rank), wrong, {"no tensor 'oh'"});
  const char *name = nullptr;
  fail(tercet_kernel_saved_output(denseKernel(), denseKernel(), "dq", &name), wrong, {"no argument 'dq'"});
}

TEST_CASE("a failure stays with its thread until the next one", "[c][failure]") {
  fail(tercet_specs(nullptr), wrong, {"json is NULL"});
  char *json = nullptr;
  succeed(tercet_specs(&json));
  tercet_text_free(json);
  CHECK_THAT(tercet_error_message(), Catch::Contains("json is NULL"));
  std::string elsewhere = "unset";
  std::thread([&] { elsewhere = tercet_error_message(); }).join();
  CHECK(elsewhere.empty());
  const char *key = nullptr, *value = nullptr;
  CHECK(tercet_error_note_count() == 0);
  CHECK(tercet_error_note(0, &key, &value) == wrong);
}
