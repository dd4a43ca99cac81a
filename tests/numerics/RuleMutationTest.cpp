// The contract notices: for each mistake that a lowering of masks, regions, sets and rules could make, some call fails. The
// mistakes are made in the program or in the call, the check uses the right ones.
#include "RunSpec.h"

using namespace tercet;
using namespace tercet::reference;
using namespace tercet::test;

namespace {

/// A call with lengths and grouped heads, and memory for what a wrong program gives.
struct Call {
  Program program;
  Data data, outputs;
  Arguments arguments;

  Call(const std::string &spec, std::map<std::string, std::string> settings = {}, double structure = 0)
      : program(programOf(specNamed(spec, std::move(settings)))) {
    Shape shape{.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 90, .tokensK = 110, .headDim = 8};
    data = makeData(program, shape, {.seed = 7, .structure = structure});
    for (auto [name, lengths] : {std::pair{"q_len", std::array{90, 50}}, {"k_len", std::array{75, 110}}}) {
      data.tensors.emplace_back(name, OwnedTensor::make(DType::i32, {2}));
      for (int64_t b = 0; b < 2; ++b)
        data.tensors.back().second.view().set(lengths[size_t(b)], b);
    }
    if (spec == "document_bands") // documents of three blocks that start at another token in each batch entry
      for (int64_t b = 0; b < 2; ++b)
        for (int64_t t = 0; t < shape.tokensK; ++t)
          data["segment"].set(double((t + 20 * b) / 48), b, t);
    outputs = makeOutputs(program, shape, DType::f32);
    arguments = data.arguments();
  }

  /// Whether the outputs of this program on these arguments pass as those of the right one.
  bool passes(const Program &wrong, const Arguments &wrongArguments) const {
    Status status = reference::run(wrong, wrongArguments, outputs.arguments());
    INFO(status.message());
    REQUIRE(status.ok());
    auto verdict = checkOutputs(program, arguments, outputs.arguments());
    REQUIRE(verdict.ok());
    return verdict->passed;
  }
};

const std::vector<Call> &calls() {
  static const std::vector<Call> list = [] {
    std::vector<Call> made;
    made.emplace_back("causal_sla");
    made.emplace_back("causal_sla", std::map<std::string, std::string>{{"forced_counts", "true"}});
    made.emplace_back("document_bands");
    for (const char *scope : {"row", "head", "all_heads", "group"})
      made.emplace_back("gated", std::map<std::string, std::string>{{"scope", scope}});
    made.emplace_back("guarded", std::map<std::string, std::string>(), 0.6);
    made.emplace_back("sampled");
    return made;
  }();
  return list;
}

bool isNoticed(const std::function<void(Program &, Arguments &)> &mistake) {
  for (const Call &call : calls()) {
    Program wrong = call.program;
    Arguments arguments = call.arguments;
    mistake(wrong, arguments);
    if (!call.passes(wrong, arguments))
      return true;
  }
  return false;
}

bool inSelection(const std::function<void(Selection &)> &mistake) {
  return isNoticed([&](Program &program, Arguments &) { mistake(*program.selection); });
}

/// Makes a mistake in every instruction of the regions.
bool inRegions(const std::function<void(PairOp &)> &mistake) {
  return isNoticed([&](Program &program, Arguments &) {
    auto change = [&](std::optional<PairProgram> &region) {
      for (size_t index = 0; region && index < region->ops.size(); ++index)
        mistake(region->ops[index]);
    };
    Selection &selection = *program.selection;
    for (auto *region : {&selection.mask, &selection.forced, &selection.forbidden, &selection.pattern})
      change(*region);
    for (Branch &branch : program.branches) {
      change(branch.mask);
      change(branch.score);
    }
  });
}

} // namespace

TEST_CASE("right outputs of masks, regions, sets and rules pass", "[mutation]") {
  for (const Call &call : calls()) {
    INFO(call.program.name);
    CHECK(call.passes(call.program, call.arguments));
  }
}

TEST_CASE("a mask or region that is not applied is noticed", "[mutation]") {
  CHECK(isNoticed([](Program &program, Arguments &) {
    for (Branch &branch : program.branches)
      branch.mask = {};
  }));
  CHECK(isNoticed([](Program &program, Arguments &) {
    for (Branch &branch : program.branches)
      branch.score = {};
  }));
  CHECK(inSelection([](Selection &selection) { selection.mask = {}; }));
  CHECK(inSelection([](Selection &selection) { selection.forced = {}; }));
  CHECK(inSelection([](Selection &selection) { selection.forbidden = {}; }));
  CHECK(inSelection([](Selection &selection) { std::swap(selection.forced, selection.forbidden); }));
  CHECK(inSelection([](Selection &selection) {
    if (selection.pattern)
      selection.pattern->ops.back().outcomes ^= lessBit | equalBit | greaterBit;
  }));
}

TEST_CASE("mistakes inside of regions are noticed", "[mutation]") {
  CHECK(inRegions([](PairOp &op) { // equal pairs on the other side
    if (op.kind == PairOp::Kind::compareSigned)
      op.outcomes ^= equalBit;
  }));
  CHECK(inRegions([](PairOp &op) { // the alignment of the beginnings
    if (op.kind == PairOp::Kind::extent)
      op.extent = ExtentOf::query;
  }));
  CHECK(inRegions([](PairOp &op) { // the segment of the key for that of the query
    if (op.kind == PairOp::Kind::readInteger)
      op.operands[1] = PairProgram::key;
  }));
  CHECK(inRegions([](PairOp &op) { // batch entry 0 for all
    if (op.kind == PairOp::Kind::readInteger)
      op.operands[0] = PairProgram::query;
  }));
  CHECK(inRegions([](PairOp &op) { // another head's slope
    if (op.kind == PairOp::Kind::readNumber)
      op.operands[0] = PairProgram::batch;
  }));
  CHECK(inRegions([](PairOp &op) {
    if (op.kind == PairOp::Kind::maxI)
      op.kind = PairOp::Kind::minI;
  }));
  CHECK(inRegions([](PairOp &op) {
    if (op.kind == PairOp::Kind::remI)
      op.kind = PairOp::Kind::divI;
  }));
  for (const char *lengths : {"q_len", "k_len"})
    CHECK(isNoticed([&](Program &, Arguments &arguments) {
      std::erase_if(arguments.tensors, [&](const auto &tensor) { return tensor.first == lengths; });
    }));
}

TEST_CASE("mistakes in rules of keep and in scores are noticed", "[mutation]") {
  auto unit = [](KeepUnit wrong) { return inSelection([=](Selection &selection) { selection.keepUnit = wrong; }); };
  CHECK(unit(KeepUnit::fraction));
  CHECK(unit(KeepUnit::mass));
  CHECK(unit(KeepUnit::above));
  CHECK(unit(KeepUnit::relative));
  CHECK(unit(KeepUnit::percentile));
  CHECK(unit(KeepUnit::within));
  CHECK(inSelection([](Selection &selection) { selection.budgets.clear(); }));
  CHECK(inSelection([](Selection &selection) {
    if (selection.maxKeep)
      selection.maxKeep = Number{.value = 2};
  }));
  CHECK(inSelection([](Selection &selection) { selection.scores.center = false; }));
  CHECK(inSelection([](Selection &selection) { selection.scores.guard = {}; }));
  CHECK(inSelection([](Selection &selection) { selection.scores.stride *= 2; }));
  CHECK(isNoticed([](Program &program, Arguments &) { // the scale of sampled scores
    if (program.selection->scores.kind == ScoreSource::Kind::sampled)
      program.branches[0].scale = {.value = 1};
  }));
}

TEST_CASE("another scope is noticed", "[mutation]") {
  for (Scope right : {Scope::row, Scope::head, Scope::allHeads, Scope::group})
    for (Scope wrong : {Scope::row, Scope::head, Scope::allHeads, Scope::group})
      if (right != wrong)
        CHECK(inSelection([&](Selection &selection) {
          if (selection.scope == right)
            selection.scope = wrong;
        }));
}
