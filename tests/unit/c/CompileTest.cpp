// Compiling and calling through the C interface: what comes back, and from where.
#include "CompiledKernel.h"

#include "unit/runtime/TempDir.h"

#include <nlohmann/json.hpp>

#include <atomic>
#include <cmath>
#include <fstream>

using namespace tercet::test;
using nlohmann::json;

namespace {

/// Dense attention of one query of head h, component c, in fp64.
double attended(TestCall &call, int64_t tokens, int64_t dim, int64_t head, int64_t row, int64_t column) {
  auto at = [&](const char *name, int64_t token, int64_t component) {
    return double(call[name].data[size_t((head * tokens + token) * dim + component)]);
  };
  double sum = 0, value = 0;
  for (int64_t key = 0; key < tokens; ++key) {
    double score = 0;
    for (int64_t component = 0; component < dim; ++component)
      score += at("q", row, component) * at("k", key, component);
    double weight = std::exp(score / std::sqrt(double(dim)));
    sum += weight;
    value += weight * at("v", key, column);
  }
  return value / sum;
}

} // namespace

TEST_CASE("a built-in spec compiles by name and computes attention", "[c]") {
  TestCall call;
  call.addTokens(1, 2, 100, 100, 32);
  char *report = nullptr;
  succeed(tercet_launch(denseKernel(), &call.withWorkspace(denseKernel()), &report));
  for (int64_t head : {0, 1})
    for (int64_t row : {0, 37, 99})
      CHECK(call["o"].data[size_t((head * 100 + row) * 32 + 5)] ==
            Approx(attended(call, 100, 32, head, row, 5)).epsilon(1e-4).margin(1e-6));
  json told = json::parse(taken(report));
  CHECK(told["ms"] > 0);
  CHECK(told["stages"].size() >= 1);
}

TEST_CASE("a spec compiles from text, with settings", "[c]") {
  SessionHandle session = newSession();
  char *described = nullptr;
  tercet_spec spec = builtin("sla");
  succeed(tercet_spec_describe(&spec, &described));
  std::string text = json::parse(taken(described))["text"];
  tercet_spec own = TERCET_SPEC_INIT;
  own.text = text.c_str();
  tercet_setting settings[] = {{"keep", "0.25"}, {"block_q", "32"}};
  own.settings = settings;
  own.setting_count = 2;
  KernelHandle kernel = compiled(session.get(), own, forDimension(32));
  json object;
  char *answer = nullptr;
  succeed(tercet_kernel_describe(kernel.get(), &answer));
  object = json::parse(taken(answer));
  CHECK(object["spec"] == "sla");
  CHECK(object["block_q"] == 32);
  CHECK(object["cache"] == "off");
  CHECK(object["parameters"][0]["name"] == "keep");
  CHECK(object["parameters"][0]["value"] == 0.25);
  tercet_parameter parameter = TERCET_PARAMETER_INIT;
  succeed(tercet_kernel_parameter(kernel.get(), 0, &parameter));
  CHECK(parameter.value == 0.25);
}

TEST_CASE("settings of runtime parameters compile nothing, and are what calls start from", "[c]") {
  SessionHandle session = newSession();
  auto keeping = [&](const char *value) {
    tercet_spec spec = builtin("sla");
    tercet_setting setting = {"keep", value};
    spec.settings = &setting;
    spec.setting_count = 1;
    return compiled(session.get(), spec, forDimension(32));
  };
  KernelHandle few = keeping("0.1"), many = keeping("0.9");
  char *answer = nullptr;
  succeed(tercet_session_describe(session.get(), &answer));
  CHECK(json::parse(taken(answer))["compiles"] == 1);
  auto kept = [](const tercet_kernel *kernel, std::vector<std::pair<const char *, double>> parameters) {
    TestCall call;
    call.addTokens(1, 1, 640, 640, 32);
    call.add("w", {32, 32});
    call.add("b", {32});
    for (auto [name, value] : parameters)
      call.parameter(name, value);
    char *report = nullptr;
    succeed(tercet_launch(kernel, &call.withWorkspace(kernel), &report));
    return json::parse(taken(report))["blocks"]["kept"].get<int>();
  };
  CHECK(kept(few.get(), {}) == 10);
  CHECK(kept(many.get(), {}) == 90);
  CHECK(kept(few.get(), {{"keep", 0.5}}) == 50);
}

TEST_CASE("a kernel names its arguments, and shapes follow from q, k and v", "[c]") {
  SessionHandle session = newSession();
  KernelHandle kernel = compiled(session.get(), builtin("sla"), forDimension(32));
  std::map<std::string, tercet_argument> arguments;
  for (size_t index = 0; index < tercet_kernel_argument_count(kernel.get()); ++index) {
    tercet_argument argument = TERCET_ARGUMENT_INIT;
    succeed(tercet_kernel_argument(kernel.get(), index, &argument));
    arguments[argument.name] = argument;
  }
  REQUIRE(arguments.count("w") + arguments.count("o") + arguments.count("k") == 3);
  CHECK(arguments["o"].is_output == 1);
  CHECK(arguments["q"].is_output == 0);
  CHECK(std::string(arguments["k"].role) == "key");
  CHECK(arguments["k"].rank == 4);
  CHECK(std::string(arguments["k"].axes[1]) == "kv_head");
  CHECK(std::string(arguments["k"].axes[3]) == "32");
  CHECK(std::string(arguments["w"].axes[0]) == "feature");
  CHECK(arguments["o"].dtype.bits == 32);
  CHECK(arguments["q_len"].is_optional == 1);
  CHECK(arguments["q_len"].dtype.code == kDLInt);
  TestCall call;
  call.add("q", {2, 6, 100, 32});
  call.add("k", {2, 3, 70, 32});
  call.add("v", {2, 3, 70, 32});
  auto shapeOf = [&](const char *name) {
    int64_t shape[4];
    int32_t rank = 0;
    succeed(tercet_kernel_shape(kernel.get(), &call.view(), name, shape, &rank));
    return std::vector<int64_t>(shape, shape + rank);
  };
  CHECK(shapeOf("o") == std::vector<int64_t>{2, 6, 100, 32});
  CHECK(shapeOf("q_len") == std::vector<int64_t>{2});
  CHECK(shapeOf("w") == std::vector<int64_t>{32, 32});
  CHECK(shapeOf("classes") == std::vector<int64_t>{2, 6, 2, 2});
}

TEST_CASE("an artifact goes to memory and disk, and back into a kernel", "[c]") {
  TempDir dir;
  std::string path = dir.path() / "dense.tercet";
  tercet_artifact *made = nullptr, *read = nullptr;
  succeed(tercet_kernel_artifact(denseKernel(), &made));
  ArtifactHandle first(made);
  succeed(tercet_artifact_save(first.get(), path.c_str()));
  succeed(tercet_artifact_load(path.c_str(), &read));
  ArtifactHandle second(read);
  char *answer = nullptr;
  succeed(tercet_artifact_describe(second.get(), &answer));
  json object = json::parse(taken(answer));
  CHECK(object["spec"] == "dense");
  CHECK(object["head_dim"] == 32);
  SessionHandle session = newSession();
  tercet_kernel *loaded = nullptr;
  succeed(tercet_load(session.get(), second.get(), nullptr, TERCET_INFERENCE, &loaded));
  KernelHandle kernel(loaded);
  second.reset();
  session.reset(); // kernels keep what they need
  TestCall expected, call;
  expected.addTokens(1, 2, 70, 50, 32);
  call.addTokens(1, 2, 70, 50, 32);
  succeed(tercet_launch(denseKernel(), &expected.withWorkspace(denseKernel()), nullptr));
  succeed(tercet_enqueue(kernel.get(), &call.withWorkspace(kernel.get())));
  CHECK(call["o"].data == expected["o"].data);
}

TEST_CASE("a forward's outputs go into its backward by name", "[c]") {
  SessionHandle session = newSession();
  KernelHandle forward = compiled(session.get(), builtin("dense"), forDimension(32, TERCET_FORWARD));
  KernelHandle backward = compiled(session.get(), builtin("dense"), forDimension(32, TERCET_BACKWARD));
  std::vector<std::pair<std::string, std::string>> saved;
  for (size_t index = 0; index < tercet_kernel_argument_count(backward.get()); ++index) {
    tercet_argument argument = TERCET_ARGUMENT_INIT;
    succeed(tercet_kernel_argument(backward.get(), index, &argument));
    const char *output = nullptr;
    succeed(tercet_kernel_saved_output(forward.get(), backward.get(), argument.name, &output));
    if (output)
      saved.emplace_back(argument.name, output);
  }
  REQUIRE(saved.size() >= 2); // o and lse
  TestCall first, second;
  first.addTokens(1, 2, 70, 50, 32);
  for (const auto &[input, output] : saved) {
    int64_t shape[4];
    int32_t rank = 0;
    succeed(tercet_kernel_shape(forward.get(), &first.view(), output.c_str(), shape, &rank));
    if (output != "o")
      first.add(output, {shape, shape + rank});
  }
  succeed(tercet_launch(forward.get(), &first.withWorkspace(forward.get()), nullptr));
  second.addTokens(1, 2, 70, 50, 32);
  second.remove("o");
  second.add("do", {1, 2, 70, 32});
  for (const auto &[input, output] : saved)
    second.add(input, first[output].shape).data = first[output].data;
  for (const auto &[input, output] : saved)
    second[input].tensor.data = second[input].data.data();
  second.add("dq", {1, 2, 70, 32});
  second.add("dk", {1, 2, 50, 32});
  second.add("dv", {1, 2, 50, 32}).data.assign(3200, NAN);
  second["dv"].tensor.data = second["dv"].data.data();
  succeed(tercet_launch(backward.get(), &second.withWorkspace(backward.get()), nullptr));
  // The columns of P sum to what v's gradient sums to: with do = 1 in one column, sum over keys of dv is N per head.
  double sum = 0, expected = 0;
  for (float value : second["dv"].data)
    sum += value;
  for (float value : second["do"].data)
    expected += value;
  CHECK(sum == Approx(expected).epsilon(1e-4).margin(1e-3));
}

TEST_CASE("other architectures compile to artifacts without being here", "[c]") {
  tercet_spec spec = builtin("dense");
  tercet_compile_options options = forDimension(32);
  options.target = "cpu:portable";
  tercet_artifact *made = nullptr;
  succeed(tercet_compile_artifact(&spec, &options, &made));
  ArtifactHandle artifact(made);
  char *answer = nullptr;
  succeed(tercet_artifact_describe(artifact.get(), &answer));
  CHECK(json::parse(taken(answer))["targets"] == json::array({"cpu:portable"}));
  options.target = "sm_90a";
  options.head_dim = 64;
  options.dtype = {kDLBfloat, 16, 1};
  tercet_artifact *forGpu = nullptr;
  tercet_status status = tercet_compile_artifact(&spec, &options, &forGpu);
  if (status == TERCET_UNSUPPORTED_TARGET) { // this machine has no NVRTC
    CHECK_THAT(tercet_error_message(), Catch::Contains("NVRTC"));
    return;
  }
  succeed(status);
  ArtifactHandle gpu(forGpu);
  succeed(tercet_artifact_describe(gpu.get(), &answer));
  json object = json::parse(taken(answer));
  CHECK(object["targets"] == json::array({"sm_90a"}));
  CHECK(object["dtype"] == "bf16");
}

TEST_CASE("an embedder's threads run the items", "[c]") {
  struct Loop {
    int64_t items = 0;
    static void run(void *user, int64_t count, tercet_work_item item, void *context) {
      static_cast<Loop *>(user)->items += count;
      for (int64_t i = 0; i < count; ++i)
        item(context, i, 0);
    }
  } loop;
  tercet_session_options options = TERCET_SESSION_OPTIONS_INIT;
  options.threads = 2;
  options.no_cache = 1;
  options.parallel_for = Loop::run;
  options.parallel_for_user = &loop;
  tercet_session *made = nullptr;
  succeed(tercet_session_create(&options, &made));
  SessionHandle session(made);
  KernelHandle kernel = compiled(session.get(), builtin("dense"), forDimension(32));
  TestCall call;
  call.addTokens(1, 1, 70, 50, 32);
  succeed(tercet_launch(kernel.get(), &call.withWorkspace(kernel.get()), nullptr));
  CHECK(loop.items > 0);
}

TEST_CASE("a second session takes a kernel from the disk cache", "[c]") {
  TempDir dir;
  auto compile = [&](const std::string &keep, int &compiles) {
    tercet_session_options options = TERCET_SESSION_OPTIONS_INIT;
    options.threads = 1;
    options.cache_directory = dir.path().c_str();
    tercet_session *made = nullptr;
    succeed(tercet_session_create(&options, &made));
    SessionHandle session(made);
    tercet_spec spec = builtin("sparse_topk");
    tercet_setting setting = {"keep", keep.c_str()};
    spec.settings = &setting;
    spec.setting_count = 1;
    KernelHandle kernel = compiled(session.get(), spec, forDimension(32));
    char *text = nullptr;
    succeed(tercet_session_describe(session.get(), &text));
    compiles = json::parse(taken(text))["compiles"];
    succeed(tercet_kernel_describe(kernel.get(), &text));
    return json::parse(taken(text))["cache"].get<std::string>();
  };
  int first = 0, second = 0;
  CHECK(compile("0.1", first) == "miss");
  CHECK(compile("0.2", second) == "hit"); // keep binds at launch
  CHECK(first == 1);
  CHECK(second == 0);
}

TEST_CASE("a host hears warnings of the library", "[c]") {
  TempDir dir;
  std::string file = dir.path() / "file";
  std::ofstream(file) << "in the way of a directory";
  std::vector<std::pair<int, std::string>> heard;
  auto hear = [](void *user, int32_t level, const char *message) {
    static_cast<decltype(heard) *>(user)->emplace_back(level, message);
  };
  succeed(tercet_set_log(hear, &heard, 1));
  tercet_session_options options = TERCET_SESSION_OPTIONS_INIT;
  options.cache_directory = file.c_str();
  tercet_session *made = nullptr;
  succeed(tercet_session_create(&options, &made));
  SessionHandle session(made);
  compiled(session.get(), builtin("dense"), forDimension(16)); // works without a cache
  succeed(tercet_set_log(nullptr, nullptr, 0));
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].first == 1);
  CHECK_THAT(heard[0].second, Catch::Contains(file));
  CHECK(tercet_has_compiler() == 1);
}

TEST_CASE("compilations in the background call back once, and the session waits for them", "[c]") {
  struct Told {
    std::atomic<int> calls{0};
    tercet_status status = TERCET_OK;
    tercet_kernel *kernel = nullptr;
    std::string message;
    static void by(void *user, tercet_status status, tercet_kernel *kernel) {
      auto *told = static_cast<Told *>(user);
      told->status = status;
      told->kernel = kernel;
      told->message = status == TERCET_OK ? "" : tercet_error_message();
      ++told->calls;
    }
  } good, bad, never;
  SessionHandle session = newSession();
  tercet_spec dense = builtin("dense"), broken = TERCET_SPEC_INIT;
  broken.text = "nothing";
  tercet_compile_options options = forDimension(32);
  succeed(tercet_compile_async(session.get(), &dense, &options, Told::by, &good));
  succeed(tercet_compile_async(session.get(), &broken, &options, Told::by, &bad));
  options.head_dim = -1;
  fail(tercet_compile_async(session.get(), &dense, &options, Told::by, &never), TERCET_INVALID_ARGUMENT,
       {"head_dim -1"});
  fail(tercet_compile_async(session.get(), &dense, &options, nullptr, nullptr), TERCET_INVALID_ARGUMENT,
       {"function is NULL"});
  fail(tercet_compile_async(nullptr, &dense, &options, Told::by, &never), TERCET_INVALID_ARGUMENT, {"session is NULL"});
  session.reset();
  CHECK((good.calls == 1 && bad.calls == 1 && never.calls == 0));
  CHECK(good.status == TERCET_OK);
  KernelHandle kernel(good.kernel);
  CHECK(tercet_kernel_argument_count(kernel.get()) >= 4);
  CHECK(bad.status == TERCET_INVALID_SPEC);
  CHECK(bad.kernel == nullptr);
  CHECK_THAT(bad.message, Catch::Contains("<spec>:1:"));
}
