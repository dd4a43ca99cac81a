// The table notices: for each mistake a lowering could make, some case of the table fails. The mistakes are made in the
// program or in the call, the check uses the right ones.
#include "RunSpec.h"

using namespace tercet;
using namespace tercet::reference;
using namespace tercet::test;

namespace {

/// Multiplications of one evaluation, roughly; the search for a failing case leaves out what is large.
int64_t costOf(const Case &entry) {
  Shape s = entry.shape.resolved();
  return s.batch * s.heads * s.tokensQ * s.tokensK * (s.headDim + s.valueDim);
}
constexpr int64_t costLimit = 10'000'000;

/// A case with the outputs of the right program.
struct Answered {
  const Case &entry;
  PreparedCase prepared;
  std::vector<std::vector<double>> right;

  std::vector<std::vector<double>> outputs() const {
    std::vector<std::vector<double>> values;
    for (const auto &[name, tensor] : prepared.outputs.tensors)
      values.push_back(valuesOf(tensor.view()));
    return values;
  }
};

const std::vector<Answered> &answeredCases() {
  static const std::vector<Answered> list = [] {
    std::vector<Answered> cases;
    for (const Case &entry : caseTable())
      if (costOf(entry) <= costLimit) {
        cases.push_back({entry, prepare(entry), {}});
        PreparedCase &prepared = cases.back().prepared;
        REQUIRE(reference::run(prepared.program, prepared.arguments, prepared.outputs.arguments()).ok());
        cases.back().right = cases.back().outputs();
      }
    return cases;
  }();
  return list;
}

/// Whether some case fails when outputs come from a changed program or changed inputs.
bool isNoticed(const std::function<void(Program &, Arguments &)> &mistake) {
  for (const Answered &answered : answeredCases()) {
    const PreparedCase &prepared = answered.prepared;
    Program wrong = prepared.program;
    Arguments arguments = prepared.arguments;
    mistake(wrong, arguments);
    if (!reference::run(wrong, arguments, prepared.outputs.arguments()).ok() || answered.outputs() == answered.right)
      continue;
    auto verdict =
        checkOutputs(prepared.program, prepared.arguments, prepared.outputs.arguments(), checkOptions(answered.entry));
    REQUIRE(verdict.ok());
    if (!verdict->passed)
      return true;
  }
  return false;
}

void dropTensor(Arguments &arguments, const std::string &name) {
  std::erase_if(arguments.tensors, [&](const auto &tensor) { return tensor.first == name; });
}

void setParameter(Arguments &arguments, const std::string &name, const std::function<double(double)> &change) {
  for (auto &[parameter, value] : arguments.parameters)
    if (parameter == name)
      value = change(value);
}

} // namespace

TEST_CASE("mistakes in regions are noticed", "[mutation]") {
  CHECK(isNoticed([](Program &program, Arguments &) {
    for (Branch &branch : program.branches)
      if (branch.kind == Branch::Kind::linear)
        branch.classes |= criticalBit;
  }));
  CHECK(isNoticed([](Program &program, Arguments &) {
    for (Branch &branch : program.branches)
      if (branch.kind == Branch::Kind::linear)
        branch.classes &= ~negligibleBit;
  }));
  CHECK(isNoticed([](Program &program, Arguments &) {
    for (Branch &branch : program.branches)
      if (branch.featureMap == FeatureMap::elu)
        branch.featureMap = FeatureMap::relu;
  }));
  CHECK(isNoticed([](Program &program, Arguments &) {
    for (Branch &branch : program.branches)
      branch.eps = {};
  }));
  CHECK(isNoticed([](Program &program, Arguments &) {
    for (Branch &branch : program.branches)
      if (branch.kind == Branch::Kind::joint)
        branch.inputs.pop_back();
  }));
  CHECK(isNoticed([](Program &program, Arguments &) {
    for (Branch &branch : program.branches)
      if (branch.scale.isAuto)
        branch.scale = {.value = 0.1};
  }));
}

TEST_CASE("mistakes in selection are noticed", "[mutation]") {
  auto inSelection = [](auto change) {
    return isNoticed([change](Program &program, Arguments &) {
      if (program.selection)
        change(*program.selection);
    });
  };
  CHECK(inSelection([](Selection &selection) { selection.rounding = Rounding::floor; }));
  CHECK(inSelection([](Selection &selection) { selection.minKeep = {}; }));
  CHECK(inSelection([](Selection &selection) { selection.sink = {}; }));
  CHECK(inSelection([](Selection &selection) { selection.diagonal = false; }));
  CHECK(inSelection([](Selection &selection) { selection.forcedCounts = false; }));
  CHECK(inSelection([](Selection &selection) { selection.forcedCounts = true; }));
  CHECK(inSelection([](Selection &selection) { selection.drop = {}; }));
}

TEST_CASE("tensors and numbers that are not read are noticed", "[mutation]") {
  for (const char *name : {"w", "b", "q_len", "k_len", "classes"}) {
    INFO(name);
    CHECK(isNoticed([&](Program &, Arguments &arguments) { dropTensor(arguments, name); }));
  }
  for (const char *name : {"keep", "drop", "scale", "eps", "sink", "min_keep"}) {
    INFO(name);
    CHECK(isNoticed([&](Program &, Arguments &arguments) {
      setParameter(arguments, name, [&](double value) { return value > 1 ? 1 : value / 2; });
    }));
  }
}

TEST_CASE("a transposed weight and swapped KV heads are noticed", "[mutation]") {
  CHECK(isNoticed([](Program &, Arguments &arguments) {
    for (auto &[name, tensor] : arguments.tensors)
      if (name == "w")
        std::swap(tensor.strides[0], tensor.strides[1]);
  }));
  CHECK(isNoticed([](Program &, Arguments &arguments) {
    for (auto &[name, tensor] : arguments.tensors)
      if (name == "v" && tensor.shape[1] > 1) {
        tensor.data = static_cast<char *>(tensor.data) +
                      (tensor.shape[1] - 1) * tensor.strides[1] * static_cast<int64_t>(dtypeSize(tensor.dtype));
        tensor.strides[1] = -tensor.strides[1];
      }
  }));
}
