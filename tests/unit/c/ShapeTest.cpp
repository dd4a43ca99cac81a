// Shapes that the interface works out: blocks of grids, tables, gradients of tables; and every built-in spec's signature.
#include "CompiledKernel.h"

#include <nlohmann/json.hpp>

using namespace tercet::test;
using nlohmann::json;

namespace {

std::vector<int64_t> shapeIn(const tercet_kernel *kernel, TestCall &call, const char *name) {
  int64_t shape[4];
  int32_t rank = 0;
  succeed(tercet_kernel_shape(kernel, &call.view(), name, shape, &rank));
  return {shape, shape + rank};
}

} // namespace

TEST_CASE("blocks of a grid follow from its sizes, which a call gives", "[c][shape]") {
  SessionHandle session = newSession();
  KernelHandle kernel = compiled(session.get(), builtin("vsa"), forDimension(16));
  TestCall call;
  call.addTokens(1, 2, 256, 256, 16);
  for (auto [name, value] : {std::pair("frames", 4.0), {"height", 8.0}, {"width", 8.0}})
    call.parameter(name, value);
  CHECK(shapeIn(kernel.get(), call, "gate") == std::vector<int64_t>{1, 2, 256, 16});
  std::vector<int64_t> classes = shapeIn(kernel.get(), call, "classes");
  REQUIRE(classes.size() == 4);
  CHECK(classes[2] == 4); // tiles of 4 x 4 x 4
  TestCall other;
  other.addTokens(1, 2, 200, 200, 16);
  for (auto [name, value] : {std::pair("frames", 4.0), {"height", 8.0}, {"width", 8.0}})
    other.parameter(name, value);
  int64_t shape[4];
  int32_t rank = 0;
  fail(tercet_kernel_shape(kernel.get(), &other.view(), "classes", shape, &rank), TERCET_INVALID_ARGUMENT,
       {"256", "200"});
}

TEST_CASE("a table whose entries the caller chooses has no one shape; its gradient has its table's", "[c][shape]") {
  SessionHandle session = newSession();
  KernelHandle forward = compiled(session.get(), builtin("relative_bias"), forDimension(16));
  KernelHandle backward = compiled(session.get(), builtin("relative_bias"), forDimension(16, TERCET_BACKWARD));
  TestCall call;
  call.addTokens(1, 2, 40, 30, 16);
  int64_t shape[4];
  int32_t rank = 0;
  fail(tercet_kernel_shape(forward.get(), &call.view(), "bias", shape, &rank), TERCET_INVALID_ARGUMENT,
       {"'bias' has no one shape", "[2, 0]"});
  call.remove("o");
  fail(tercet_kernel_shape(backward.get(), &call.view(), "dbias", shape, &rank), TERCET_INVALID_ARGUMENT,
       {"'dbias' has the shape of 'bias'", "not given"});
  call.add("bias", {1, 7});
  CHECK(shapeIn(backward.get(), call, "dbias") == std::vector<int64_t>{1, 7});
}

TEST_CASE("shapes need q, k and v, of rank 4", "[c][shape]") {
  TestCall call;
  call.add("q", {1, 2, 40, 32});
  call.add("k", {1, 2, 40, 32});
  int64_t shape[4];
  int32_t rank = 0;
  fail(tercet_kernel_shape(denseKernel(), &call.view(), "o", shape, &rank), TERCET_INVALID_ARGUMENT,
       {"'v' is missing"});
  call.add("v", {2, 40, 32});
  fail(tercet_kernel_shape(denseKernel(), &call.view(), "o", shape, &rank), TERCET_INVALID_ARGUMENT,
       {"'v' is [2, 40, 32] f32", "4 dimensions"});
}

TEST_CASE("every built-in spec describes itself through the interface", "[c][shape]") {
  char *text = nullptr;
  succeed(tercet_specs(&text));
  json specs = json::parse(taken(text));
  CHECK(specs.size() >= 42);
  for (const json &listed : specs) {
    std::string name = listed["name"];
    INFO(name);
    tercet_spec spec = builtin(name.c_str());
    succeed(tercet_spec_describe(&spec, &text));
    json described = json::parse(taken(text));
    CHECK(described["name"] == name);
    CHECK(described["inputs"].size() >= 3);
    CHECK_FALSE(listed["summary"].get<std::string>().empty());
    for (const json &parameter : described["parameters"])
      CHECK((parameter["binds"] == "compile" || parameter["binds"] == "launch"));
  }
}
