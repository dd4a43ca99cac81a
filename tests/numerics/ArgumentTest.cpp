// What the oracle refuses, each with what was given and what is legal.
#include "RunSpec.h"

using namespace tercet;
using namespace tercet::reference;
using namespace tercet::test;

namespace {

struct Call {
  Case entry{.name = "arguments",
             .spec = "sla",
             .settings = {{"block_q", "16"}, {"block_k", "16"}},
             .shape = {.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 20, .tokensK = 40, .headDim = 8}};
  PreparedCase prepared = prepare(entry);

  std::string refusal(const std::string &name, const Tensor &tensor) {
    return evaluate(prepared.program, with(prepared.arguments, {{name, tensor}})).status().message();
  }
  std::string refusal(const std::string &parameter, double value) {
    Arguments arguments = prepared.arguments;
    arguments.parameters = {{parameter, value}};
    return evaluate(prepared.program, arguments).status().message();
  }
};

} // namespace

TEST_CASE("tensors that do not fit are refused", "[arguments]") {
  Call call;
  auto tensor = [](DType dtype, std::vector<int64_t> shape) {
    static std::vector<OwnedTensor> kept;
    kept.push_back(OwnedTensor::make(dtype, std::move(shape)));
    return kept.back().view();
  };
  CHECK(call.refusal("q", Tensor()) == "the tensor q is missing");
  CHECK(call.refusal("q", tensor(DType::f32, {4, 20, 8})) ==
        "q is [4, 20, 8] f32; expected rank 4: [batch, heads, tokens, head dimension]");
  CHECK(call.refusal("v", tensor(DType::i32, {2, 2, 40, 8})) == "v is [2, 2, 40, 8] i32; expected f32, f16 or bf16");
  CHECK(call.refusal("k", tensor(DType::f16, {2, 2, 40, 8})) ==
        "q, k and v are f32, f16 and f32; they must share one dtype");
  CHECK(call.refusal("k", tensor(DType::f32, {1, 2, 40, 8})) == "q, k and v have 2, 1 and 2 batches; they must agree");
  CHECK(call.refusal("v", tensor(DType::f32, {2, 2, 39, 8})) ==
        "k is [2, 2, 40, 8] f32 but v is [2, 2, 39, 8] f32; heads and tokens must agree");
  CHECK(call.refusal("q", tensor(DType::f32, {2, 4, 20, 9})) ==
        "q is [2, 4, 20, 9] f32 but k is [2, 2, 40, 8] f32; head dimensions must agree");
  CHECK(call.refusal("q", tensor(DType::f32, {2, 3, 20, 8})) ==
        "q has 3 heads and k has 2; the heads of q must be a multiple of those of k");
  CHECK(call.refusal("q", tensor(DType::f32, {2, 4, 0, 8})) == "q is [2, 4, 0, 8] f32; every size must be at least 1");
  CHECK(call.refusal("w", tensor(DType::f32, {8, 7})) == "w is [8, 7] f32; expected [8, 8]");
  CHECK(call.refusal("q_len", tensor(DType::i32, {3})) == "q_len is [3] i32; expected [2] i32");
  CHECK(call.refusal("classes", tensor(DType::i8, {2, 4, 2, 2})) ==
        "classes is [2, 4, 2, 2] i8; expected [2 or 1, 4 or 1, 2, 3] i8");
  Tensor lengths = tensor(DType::i32, {2});
  lengths.set(41, 1);
  CHECK(call.refusal("k_len", lengths) == "k_len[1] is 41; a length lies in [0, 40]");
  Tensor classes = tensor(DType::i8, {1, 1, 2, 3});
  classes.set(2, 0, 0, 1, 2);
  CHECK(call.refusal("classes", classes) == "classes[0, 0, 1, 2] is 2; expected 1, 0 or -1");
}

TEST_CASE("numbers out of range and unknown names are refused", "[arguments]") {
  Call call;
  CHECK(call.refusal("keep", 1.5) == "keep is 1.5; expected a fraction in [0, 1]");
  CHECK(call.refusal("keep", 0.95) == "keep (0.95) + drop (0.1) is more than 1");
  CHECK(call.refusal("scale", 0) == "scale is 0; expected a number above 0");
  CHECK(call.refusal("scale", NAN) == "scale is nan; expected a finite number");
  CHECK(call.refusal("eps", -1) == "eps is -1; expected a number of at least 0");
  CHECK(call.refusal("min_keep", 1.5) == "min_keep is 1.5; expected an integer of at least 0");
  CHECK(call.refusal("keeep", 0.1) == "'keeep' is not a runtime parameter of sla; did you mean 'keep'?");
}

TEST_CASE("outputs that a spec does not have are refused", "[arguments]") {
  Case entry{.name = "outputs", .spec = "linear_dense", .shape = {.tokensQ = 3, .headDim = 2}};
  PreparedCase prepared = prepare(entry);
  OwnedTensor lse = OwnedTensor::make(DType::f32, {1, 1, 3}), classes = OwnedTensor::make(DType::i8, {1, 1, 1, 1});
  Arguments outputs;
  outputs.tensors = {{"lse", lse.view()}};
  CHECK(reference::run(prepared.program, prepared.arguments, outputs).message() ==
        "linear_dense has no softmax branch, so it has no lse");
  outputs.tensors = {{"classes", classes.view()}};
  CHECK(reference::run(prepared.program, prepared.arguments, outputs).message() ==
        "linear_dense has no classification, so it has no classes");
}
