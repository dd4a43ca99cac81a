// tercet.hpp: what hosts in C++ write. No name of the library's own C++ is in reach here.
#include "tercet/tercet.hpp"

#include "unit/runtime/TempDir.h"

#include <catch2/catch.hpp>

#include <atomic>
#include <cmath>
#include <fstream>
#include <future>
#include <numeric>

using namespace tercet;

namespace {

constexpr int64_t dim = 32;

Session session(SessionOptions options = {}) {
  options.useCache = false;
  options.threads = 1;
  Result<Session> made = Session::create(options);
  REQUIRE(made.ok());
  return *made;
}

Kernel dense(const Session &from) {
  Result<Kernel> made = from.compile(Spec::builtin("dense"), {dim});
  INFO(made.status().message());
  REQUIRE(made.ok());
  return *made;
}

/// Dense attention over equal values, which gives that value.
struct EqualValues {
  std::vector<float> q = std::vector<float>(2 * 40 * dim, 0.5F), k = q, v = std::vector<float>(q.size(), 0.25F), o = q;
  alignas(64) std::array<char, 1 << 20> workspace;

  Arguments arguments() {
    auto view = [](std::vector<float> &data) { return Tensor::contiguous(data.data(), DType::f32, {1, 2, 40, dim}); };
    return {{{"q", view(q)}, {"k", view(k)}, {"v", view(v)}, {"o", view(o)}}};
  }
  void runOn(const Kernel &kernel) {
    Arguments call = arguments();
    Result<size_t> bytes = kernel.workspaceBytes(call);
    REQUIRE(bytes.ok());
    REQUIRE(*bytes <= workspace.size());
    std::string report;
    Status status = kernel.launch(call, workspace.data(), *bytes, &report);
    INFO(status.message());
    REQUIRE(status.ok());
    CHECK(o.front() == Approx(0.25));
    CHECK(o.back() == Approx(0.25));
    CHECK(report.find("\"ms\"") != std::string::npos);
  }
};

} // namespace

TEST_CASE("kernels of the C++ header outlive their session and launch", "[c][host]") {
  Kernel kernel = dense(session());
  EqualValues().runOn(kernel);
  Kernel copy = kernel;
  EqualValues().runOn(copy);
  CHECK(copy.get() == kernel.get());
}

TEST_CASE("failures are values with code, sentence and notes", "[c][host]") {
  Session from = session();
  Result<Kernel> none = from.compile(Spec::builtin("denze"), {dim});
  CHECK_FALSE(none.ok());
  CHECK(none.status().code() == Code::invalidArgument);
  CHECK(std::string(none.status().name()) == "invalidArgument");
  CHECK_THAT(none.status().message(), Catch::Contains("did you mean 'dense'?"));
  CHECK(from.compile(Spec::ofText("broken"), {dim}).status().code() == Code::invalidSpec);
  CHECK(from.compile(Spec::builtin("dense"), {dim, 0, DType::f32, "tpu"}).status().code() == Code::unsupportedTarget);
  CHECK(from.compile(Spec::builtin("dense", {{"keep", "1"}}), {dim}).status().code() == Code::invalidSpec);
  EqualValues values;
  Arguments call = values.arguments();
  call.tensors.pop_back();
  Status status = dense(from).launch(call, nullptr, 0);
  CHECK(status.code() == Code::invalidArgument);
  CHECK_THAT(status.message(), Catch::Contains("'o' is missing"));
  CHECK_FALSE(static_cast<bool>(status));
}

TEST_CASE("signatures, shapes and parameters in C++", "[c][host]") {
  Session from = session();
  Result<Kernel> sla = from.compile(Spec::builtin("sla", {{"keep", "0.5"}}), {dim});
  REQUIRE(sla.ok());
  std::vector<std::string> outputs;
  for (const tercet_argument &argument : sla->arguments())
    if (argument.is_output && !argument.is_optional)
      outputs.push_back(argument.name);
  CHECK(outputs == std::vector<std::string>{"o"});
  REQUIRE_FALSE(sla->parameters().empty());
  CHECK(sla->parameters().front().value == 0.5);
  EqualValues values;
  Arguments call = values.arguments();
  CHECK(*sla->shape(call, "o") == std::vector<int64_t>{1, 2, 40, dim});
  CHECK(*sla->shape(call, "b") == std::vector<int64_t>{dim});
  CHECK(sla->shape(call, "bb").status().code() == Code::invalidArgument);
  CHECK(sla->describe().find("\"spec\":\"sla\"") != std::string::npos);
}

TEST_CASE("artifacts in C++: saved, loaded, parsed, compiled for elsewhere", "[c][host]") {
  tercet::test::TempDir dir;
  std::string path = dir.path() / "dense.tercet";
  Session from = session();
  Result<Artifact> artifact = dense(from).artifact();
  REQUIRE(artifact.ok());
  REQUIRE(artifact->save(path).ok());
  Result<Artifact> loaded = Artifact::load(path);
  REQUIRE(loaded.ok());
  EqualValues().runOn(*from.load(*loaded));
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  CHECK(Artifact::parse(bytes.data(), bytes.size()).ok());
  CHECK_FALSE(Artifact::parse(bytes.data(), bytes.size() - 1).ok());
  CHECK(Artifact::load(path + "x").status().code() == Code::invalidArgument);
  Result<Artifact> portable = Artifact::compile(Spec::builtin("dense"), {dim, 0, DType::f32, "cpu:portable"});
  REQUIRE(portable.ok());
  EqualValues().runOn(*from.load(*portable));
  CHECK(from.load(*portable, "cpu", Direction::backward).status().code() == Code::invalidArgument);
}

TEST_CASE("a host's own loop and background compilation in C++", "[c][host]") {
  std::atomic<int64_t> items{0};
  SessionOptions options;
  options.parallelFor = [&](int64_t count, const std::function<void(int64_t, int)> &body) {
    for (int64_t i = 0; i < count; ++i)
      body(i, 0);
    items += count;
  };
  std::promise<Result<Kernel>> promised;
  {
    Session from = session(options);
    REQUIRE(
        from.compileAsync(Spec::builtin("dense"), {dim}, [&](Result<Kernel> made) { promised.set_value(made); }).ok());
    CHECK(from.compileAsync(Spec::builtin("dense"), {-1}, [](Result<Kernel>) { FAIL("told at once"); }).code() ==
          Code::invalidArgument);
  } // waits
  Result<Kernel> kernel = promised.get_future().get();
  REQUIRE(kernel.ok());
  EqualValues().runOn(*kernel); // the loop is still there
  CHECK(items > 0);
}

TEST_CASE("a tensor of another framework is a view of it", "[c][host]") {
  std::vector<float> data(2 * 3);
  int64_t shape[] = {2, 3}, strides[] = {1, 2};
  DLTensor given = {data.data(), {kDLCPU, 0}, 2, {kDLFloat, 32, 1}, shape, strides, 4};
  Tensor tensor(given), copy = tensor;
  DLTensor out = copy.dlpack();
  CHECK(out.data == data.data());
  CHECK(out.byte_offset == 4);
  CHECK(out.ndim == 2);
  CHECK(out.shape != shape); // its own
  CHECK(out.shape[1] == 3);
  CHECK(out.strides[1] == 2);
  CHECK(Tensor::contiguous(data.data(), DType::bf16, {6}).dlpack().strides == nullptr);
  CHECK(Tensor::contiguous(data.data(), DType::bf16, {6}).dlpack().dtype.code == kDLBfloat);
}
