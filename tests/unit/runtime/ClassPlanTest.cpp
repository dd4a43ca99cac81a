// The executor around a class map: classes handed in, counts in the report, weights of any float dtype.
#include "tercet/Builtins.h"
#include "tercet/rt/CpuKernel.h"

#include <catch2/catch.hpp>

#include <cstring>
#include <mutex>
#include <set>

using namespace tercet;

namespace {

std::mutex seenMutex;
std::set<char *> seenScratch;

/// Fills its scratch, which must be its own, and reads it back after other workers had time to write theirs.
void useScratch(const int64_t *slots, int64_t item, int64_t, int64_t, char *scratch) {
  {
    std::lock_guard lock(seenMutex);
    seenScratch.insert(scratch);
  }
  std::memset(scratch, int(item), 1000);
  std::this_thread::sleep_for(std::chrono::microseconds(200));
  int wrong = reinterpret_cast<uintptr_t>(scratch) % 64 != 0;
  for (int i = 0; i < 1000; ++i)
    wrong += scratch[i] != char(item);
  if (wrong)
    reinterpret_cast<float *>(slots[0])[0] = -1;
}

/// q, k, v [.., 2]; classes handed in with any strides, resolved into a buffer; a weight of any float dtype.
Artifact classPlan() {
  using Role = PlanArgument::Role;
  using Slot = PlanSlot::Kind;
  auto symbol = [](const char *name) { return Expr::symbol(name); };
  auto integer = [](Expr value) { return PlanSlot{Slot::integer, "", std::move(value)}; };
  Artifact artifact;
  artifact.headDim = artifact.valueDim = 2;
  Plan &plan = artifact.modules.emplace_back().plan;
  plan.blockQ = 4;
  plan.blockK = 2;
  plan.arguments = {
      {"q", Role::query, false, false, DType::f32},         {"k", Role::key, false, false, DType::f32},
      {"v", Role::value, false, false, DType::f32},         {"w", Role::weight, true, false, DType::f32},
      {"classes", Role::classes, false, false, DType::i8},  {"q_len", Role::queryLengths, true, false, DType::i32},
      {"k_len", Role::keyLengths, true, false, DType::i32}, {"o", Role::output, false, true, DType::f32}};
  Expr blocksQ = ceildiv(symbol("N"), 4), blocksK = ceildiv(symbol("M"), 2);
  plan.buffers = {{"map", symbol("B") * symbol("H") * blocksQ * blocksK, "resolved classes"},
                  {"packed_w", Expr(2 * 16 * 4), "weight"}};
  plan.grouping.unitBytes = 1;
  plan.grouping.budgetBytes = 2; // groups of two pairs
  PlanNode weight;
  weight.kind = PlanNode::Kind::builtin;
  weight.callee = "pack_weight";
  weight.stage = "prologue";
  weight.slots = {{Slot::tensor, "w", 0},
                  integer(0),
                  integer(symbol("w.dtype")),
                  integer(0),
                  integer(symbol("w.0")),
                  integer(symbol("w.1")),
                  integer(0),
                  integer(2),
                  integer(16),
                  {Slot::buffer, "packed_w", 0},
                  integer(0)};
  PlanNode copy;
  copy.kind = PlanNode::Kind::builtin;
  copy.callee = "copy_classes";
  copy.stage = "select";
  copy.grid[0] = symbol("G") * symbol("R");
  copy.slots = {{Slot::tensor, "classes", 0},
                integer(symbol("classes.0")),
                integer(symbol("classes.1")),
                integer(symbol("classes.2")),
                integer(symbol("classes.3")),
                integer(0),
                {Slot::buffer, "map", 0},
                integer(symbol("H") * blocksQ * blocksK),
                integer(blocksQ * blocksK),
                integer(blocksK),
                {Slot::tensor, "q_len", 0},
                {Slot::tensor, "k_len", 0},
                integer(symbol("HKV")),
                integer(symbol("R")),
                integer(symbol("N")),
                integer(symbol("M")),
                integer(symbol("G0")),
                integer(4),
                integer(2),
                integer(blocksQ),
                integer(blocksK)};
  PlanNode attend;
  attend.callee = "use_scratch";
  attend.stage = "attend";
  attend.grid[0] = Expr(16);
  attend.slots = {{Slot::tensor, "o", 0}};
  attend.flops = symbol("blocks.critical") * 100 + symbol("blocks.marginal");
  PlanNode groups;
  groups.kind = PlanNode::Kind::groups;
  groups.body = {copy, attend};
  plan.nodes = {weight, groups};
  return artifact;
}

struct ClassRun {
  std::vector<float> q = std::vector<float>(2 * 4 * 10 * 2), k = std::vector<float>(2 * 2 * 7 * 2), o = q;
  std::vector<int8_t> classes;
  std::vector<uint16_t> w = {1, 2, 3, 4};
  Arguments arguments;
  LaunchReport report;

  /// B = 2, H = 4, HKV = 2, N = 10 (3 query blocks), M = 7 (4 key blocks).
  ClassRun() {
    for (int i = 0; i < 2 * 4 * 3 * 4; ++i)
      classes.push_back(int8_t(i % 3 - 1));
    arguments.tensors = {{"q", Tensor::contiguous(q.data(), DType::f32, {2, 4, 10, 2})},
                         {"k", Tensor::contiguous(k.data(), DType::f32, {2, 2, 7, 2})},
                         {"v", Tensor::contiguous(k.data(), DType::f32, {2, 2, 7, 2})},
                         {"o", Tensor::contiguous(o.data(), DType::f32, {2, 4, 10, 2})},
                         {"classes", Tensor::contiguous(classes.data(), DType::i8, {2, 4, 3, 4})}};
  }
  Status launch() {
    auto kernel = rt::makeCpuKernel(std::make_shared<const Artifact>(classPlan()),
                                    {{"use_scratch", {useScratch, 1000}}}, std::make_shared<const rt::Workers>(4));
    REQUIRE(kernel.ok());
    Result<size_t> size = (*kernel)->workspaceBytes(arguments);
    if (!size.ok())
      return size.takeStatus();
    std::vector<char> memory(*size + 64, char(0x77));
    char *aligned = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64);
    return (*kernel)->launch(arguments, aligned, *size, &report);
  }
  Tensor &classTensor() { return arguments.tensors[4].second; }
};

} // namespace

TEST_CASE("the report counts non-empty blocks by class over all groups", "[executor]") {
  ClassRun run;
  REQUIRE(run.launch().ok());
  CHECK(run.report.criticalBlocks == 32);
  CHECK(run.report.marginalBlocks == 32);
  CHECK(run.report.negligibleBlocks == 32);
  CHECK(run.report.stageFlops["attend"] == 32 * 100 + 32);
  CHECK(run.report.stageMs.size() == 3);
}

TEST_CASE("blocks beyond the lengths are not counted", "[executor]") {
  ClassRun run;
  run.classes.assign(run.classes.size(), 1);
  int32_t qLengths[] = {10, 5}, kLengths[] = {7, 0};
  run.arguments.tensors.emplace_back("q_len", Tensor::contiguous(qLengths, DType::i32, {2}));
  run.arguments.tensors.emplace_back("k_len", Tensor::contiguous(kLengths, DType::i32, {2}));
  REQUIRE(run.launch().ok());
  CHECK(run.report.criticalBlocks == 4 * 3 * 4);
  CHECK(run.report.marginalBlocks + run.report.negligibleBlocks == 0);
}

TEST_CASE("classes broadcast over batch and heads, and take any strides", "[executor]") {
  ClassRun run;
  run.classes = {1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
  run.classTensor() = Tensor::contiguous(run.classes.data(), DType::i8, {1, 1, 3, 4});
  run.classTensor().strides = {999, 999, 1, 3}; // the strides of axes of size 1 must not matter
  REQUIRE(run.launch().ok());
  CHECK(run.report.criticalBlocks == 2 * 4);
}

TEST_CASE("classes of the wrong shape or value are refused", "[arguments]") {
  ClassRun run;
  SECTION("shape") {
    run.classTensor().shape[3] = 5;
    CHECK(run.launch().message() ==
          "'classes' is [2, 4, 3, 5] i8; with blocks of 4 x 2 it must be [2, 4, 3, 4], where batch and heads may be 1");
  }
  SECTION("value") {
    run.classes[17] = 2;
    CHECK(run.launch().message() == "'classes' is 2 at [0, 1, 1, 1]; legal classes are 1, 0 and -1");
  }
}

TEST_CASE("a weight may have any float dtype where the plan asks for it", "[arguments]") {
  ClassRun run;
  run.arguments.tensors.emplace_back("w", Tensor::contiguous(run.w.data(), DType::bf16, {2, 2}));
  CHECK(run.launch().ok());
  run.arguments.tensors.back().second.dtype = DType::i8;
  CHECK_THAT(run.launch().message(), Catch::Contains("its dtype must be f32, f16 or bf16"));
}

TEST_CASE("workers have scratch of their own", "[executor]") {
  ClassRun run;
  seenScratch.clear();
  REQUIRE(run.launch().ok());
  CHECK(run.o[0] == 0);
  CHECK(seenScratch.size() >= 1);
  CHECK(seenScratch.size() <= 4);
}
