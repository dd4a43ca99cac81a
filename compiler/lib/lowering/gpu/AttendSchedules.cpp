// Schedules of attend stages: enumerate, prune by named rules, rank. Nothing else decides tile sizes.
//
// What ranks is what is known without a device: warpgroups before warps where the target has them; two blocks per
// processor before one, so that one block's softmax runs beside the other's products; then the order of the lists
// below.
#include "AttendParts.h"
#include "ScheduleRules.h"
#include "StageKernel.h"
#include "WarpgroupTiles.h"

#include "mlir/IR/Verifier.h"

#include <algorithm>

using namespace mlir;

namespace tercet::compiler {

namespace {

using tkern::Space;
using tkern::WorkerKind;

struct Form {
  WorkerKind worker;
  int64_t workers, keys, slots;
  Space queries;
  int64_t producerRegisters, consumerRegisters;
};

/// The blocks that a stage's tiles follow; 0: none.
struct StageBlocks {
  int64_t queries, keys;
};

// Under a token order a mask is bounded over the queries of a block, which lie near each other.
StageBlocks blocksOf(const GpuProgram &program, const AttendStage &stage) {
  bool ofQueries =
      program.inQueryBlocks(stage) || (program.order && program.listsSteps(stage) && !stage.poolsQueries());
  return {ofQueries ? program.listRows() : 0, stage.listed ? program.blockK : 0};
}

/// Registers of a thread beside tiles: addresses, softmax state, operands on their way (measured: 26 on sm_80, D =
/// 128).
constexpr int64_t otherRegisters = 36;
/// What has to stay free beyond that for queries to be kept in registers: short of it, ptxas spills (D = 224).
constexpr int64_t spareRegisters = 28;
constexpr int64_t registersOfThread = 255, registersOfProcessor = 65536;
/// Shared memory that the system takes of every block.
constexpr int64_t reservedShared = 1024;

// 4 warps x 16 rows: 64 query rows, the smallest classification block in use; blocks of other sizes get as many warps as
// divide them. Fewer are for what does not fit then: one warp with 16 keys per step fits everywhere.
std::vector<int64_t> warpCounts(const StageBlocks &blocks) {
  int64_t tiles = blocks.queries / 16;
  std::vector<int64_t> counts;
  for (int64_t warps = tiles % 4 == 0 ? 4 : 7; warps > 0; --warps)
    if (tiles % warps == 0)
      counts.push_back(warps);
  return counts;
}

// 64 keys amortise a step's barriers and maxima; two slots let a step's copies run a whole step ahead, one slot half a step.
// f32 queries are read from shared memory: their registers would be twice as many.
std::vector<Form> warpForms(const GpuProgram &program, const StageBlocks &blocks, int64_t warps) {
  std::vector<int64_t> keysPerStep = {64, 32, 128, 16};
  if (blocks.keys % 64 != 0)
    keysPerStep.insert(keysPerStep.begin(), {112, 96, 80, 48});
  std::vector<Form> forms;
  for (int64_t keys : keysPerStep)
    for (int64_t slots : {2, 1, 3})
      for (Space queries : {Space::Register, Space::Shared})
        if (!(program.isWide() && queries == Space::Register) && blocks.keys % keys == 0)
          forms.push_back({WorkerKind::Warp, warps, keys, slots, queries, 0, 0});
  return forms;
}

// Two consumers of 240 registers and a producer of 24 fill the register file. 128 keys need the fewest instructions per
// key and read queries from shared memory at 96 of 128 bytes per clock; with 64 keys that would be all of them, so
// there queries stay in registers first. Both consumers take the same list: of one query block of 128 rows or more, or
// of a super row of two blocks of 64.
std::vector<Form> warpgroupForms(const StageBlocks &blocks) {
  std::vector<Form> forms;
  for (int64_t keys : {128, 64})
    for (int64_t slots : {256 / keys, int64_t{2}, int64_t{1}})
      for (Space queries :
           {keys == 128 ? Space::Shared : Space::Register, keys == 128 ? Space::Register : Space::Shared})
        if (blocks.keys % keys == 0)
          forms.push_back({WorkerKind::Warpgroup, 2, keys, slots, queries, 24, 240});
  return forms;
}

int64_t blocksPerProcessor(const Form &form, const AttendLayout &layout, const CudaTarget &target) {
  int64_t threads = form.worker == WorkerKind::Warp ? 32 * form.workers : 128 * (form.workers + 1);
  int64_t byShared = target.sharedBytesPerProcessor / (layout.sharedBytes + reservedShared);
  int64_t perThread = form.worker == WorkerKind::Warp ? layout.tileRegisters + otherRegisters : 168;
  return std::min(byShared, registersOfProcessor / (threads * perThread));
}

/// The rule that a form breaks, with its figures; empty: none.
std::string brokenRuleOf(const Form &form, const AttendLayout &layout, const CudaTarget &target) {
  int64_t registers = form.worker == WorkerKind::Warp ? registersOfThread : form.consumerRegisters;
  int64_t spare = form.queries == Space::Register ? spareRegisters : 0;
  return overBudget(layout.tileRegisters + otherRegisters + spare, registers, layout.sharedBytes, target.sharedBytes);
}

void rank(MLIRContext &context, const GpuProgram &program, const AttendStage &stage, const CudaTarget &target,
          const std::vector<Form> &forms, std::vector<RankedSchedule> &ranked, std::vector<std::string> *pruned) {
  struct Entry {
    RankedSchedule schedule;
    bool overlaps;
  };
  std::vector<Entry> entries;
  for (const Form &form : forms) {
    auto schedule =
        tkern::GpuScheduleAttr::get(&context, form.worker, form.workers, form.keys, form.slots, form.queries,
                                    form.producerRegisters, form.consumerRegisters, /*split=*/0);
    AttendLayout layout(context, program, stage, schedule);
    auto same = [&](const Entry &entry) { return entry.schedule.schedule == schedule; };
    std::string broken = brokenRuleOf(form, layout, target);
    std::string line = textOf(schedule) + ": " + broken;
    if (!broken.empty() && pruned && !llvm::is_contained(*pruned, line))
      pruned->push_back(line);
    if (broken.empty() && std::none_of(entries.begin(), entries.end(), same))
      entries.push_back({{schedule, layout.sharedBytes, layout.tileRegisters + otherRegisters,
                          stage.listed && layout.queryBlocks > 1},
                         blocksPerProcessor(form, layout, target) >= 2});
  }
  if (forms.front().worker == WorkerKind::Warp)
    std::stable_sort(entries.begin(), entries.end(),
                     [](const Entry &a, const Entry &b) { return a.overlaps && !b.overlaps; });
  for (Entry &entry : entries)
    ranked.push_back(std::move(entry.schedule));
}

} // namespace

std::vector<RankedSchedule> attendSchedules(MLIRContext &context, const GpuProgram &program, const AttendStage &stage,
                                            const CudaTarget &target, std::vector<std::string> &remarks,
                                            std::vector<std::string> *pruned) {
  std::vector<RankedSchedule> ranked;
  StageBlocks blocks = blocksOf(program, stage);
  if (target.hasWarpgroups) {
    if (std::string reason = whyNotWarpgroups(program, stage, {blocks.queries, blocks.keys}); reason.empty())
      rank(context, program, stage, target, warpgroupForms(blocks), ranked, pruned);
    else
      remarks.push_back((program.attends.size() > 1 ? stage.name + ": " : "") + reason + ": using warps");
  }
  for (int64_t warps : warpCounts(blocks))
    rank(context, program, stage, target, warpForms(program, blocks, warps), ranked, pruned);
  TERCET_CHECK(!ranked.empty(), "one warp with 16 keys per step fits every architecture");
  return ranked;
}

OwningOpRef<ModuleOp> lowerAttend(MLIRContext &context, const GpuProgram &program, const AttendStage &stage,
                                  tkern::GpuScheduleAttr schedule) {
  context.loadDialect<tkern::TkernDialect, arith::ArithDialect, scf::SCFDialect, math::MathDialect>();
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  AttendParts parts(*module, program, stage, schedule);
  if (schedule.getWorker() == tkern::WorkerKind::Warp)
    buildAttendWarp(parts);
  else
    buildAttendWarpgroup(parts);
  parts.b.finish(parts.layout.sharedBytes);
  TERCET_CHECK(succeeded(verify(*module)), "the GPU lowering builds kernels that verify");
  return module;
}

} // namespace tercet::compiler
