#include "Executor.h"

#include "ClassCounts.h"

#include <algorithm>
#include <chrono>

namespace tercet::rt {
namespace {

using Clock = std::chrono::steady_clock;

double millisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

class Execution {
public:
  Execution(const Program &program, Frame &frame, const Workers &workers, char *workspace, LaunchReport *report)
      : program(program), frame(frame), workers(workers), workspace(workspace), report(report),
        stageMs(program.stages.size()), stageFlops(program.stages.size()) {}

  Status run() {
    Clock::time_point start = Clock::now();
    TERCET_RETURN_IF_ERROR(runAll(program.nodes));
    if (report) {
      for (size_t stage = 0; stage < program.stages.size(); ++stage) {
        report->stageMs.emplace_back(program.stages[stage], stageMs[stage]);
        report->stageFlops[program.stages[stage]] += stageFlops[stage];
      }
      report->totalMs = millisecondsSince(start);
    }
    return {};
  }

private:
  void set(int symbol, int64_t value) {
    if (symbol >= 0)
      frame.symbols[static_cast<size_t>(symbol)] = value;
  }

  Status runAll(const std::vector<ProgramNode> &nodes) {
    for (const ProgramNode &node : nodes) {
      if (node.kind == PlanNode::Kind::groups)
        TERCET_RETURN_IF_ERROR(
            runLoop(node, frame.pairs, frame.groupPairs, program.known.group, program.known.groupFirst));
      else if (node.kind == PlanNode::Kind::slices)
        TERCET_RETURN_IF_ERROR(
            runLoop(node, frame.slices, frame.passSlices, program.known.slice, program.known.sliceFirst));
      else
        TERCET_RETURN_IF_ERROR(runNode(node));
    }
    return {};
  }

  /// Repeats a body with the symbols of size and first bound to each part; afterwards they stand for a full part again.
  Status runLoop(const ProgramNode &loop, int64_t total, int64_t part, int size, int first) {
    for (int64_t begin = 0; begin < total; begin += part) {
      set(size, std::min(part, total - begin));
      set(first, begin);
      TERCET_RETURN_IF_ERROR(runAll(loop.body));
    }
    set(size, part);
    set(first, 0);
    return {};
  }

  Status runNode(const ProgramNode &node) {
    int64_t grid[3], count = 1;
    for (int axis = 0; axis < 3; ++axis) {
      TERCET_TRY(grid[axis], node.grid[axis].evaluate(frame.symbols));
      if (grid[axis] < 0 || __builtin_mul_overflow(count, grid[axis], &count))
        return Status::make(Code::internal, "a grid of stage {} is negative or too large", program.stages[node.stage]);
    }
    TERCET_TRY(std::vector<int64_t> slots, fillSlots(node, frame, workspace));
    TERCET_TRY(size_t scratchBytes, scratchBytesOf(node, slots));
    if (scratchBytes > frame.scratchStride)
      return Status::make(Code::internal, "stage {} needs more scratch than its first group",
                          program.stages[node.stage]);

    Clock::time_point start = Clock::now();
    TERCET_RETURN_IF_ERROR(node.function ? runKernel(node, slots, grid, count) : runBuiltin(node, slots, grid, count));
    stageMs[node.stage] += millisecondsSince(start);
    return report ? account(node, slots) : Status();
  }

  char *scratchOf(int worker) const {
    return workspace + frame.scratchOffset + frame.scratchStride * static_cast<size_t>(worker);
  }

  Status runKernel(const ProgramNode &node, const std::vector<int64_t> &slots, const int64_t (&grid)[3],
                   int64_t count) {
    return workers.run(count, [&](int64_t item, int worker) {
      int64_t row = item / grid[0];
      node.function(slots.data(), item % grid[0], row % grid[1], row / grid[1], scratchOf(worker));
    });
  }

  Status runBuiltin(const ProgramNode &node, const std::vector<int64_t> &slots, const int64_t (&grid)[3],
                    int64_t count) {
    int64_t own = node.builtin->scratchBytes ? node.builtin->scratchBytes(slots.data()) : 0;
    int64_t kernelOffset =
        (own + int64_t{workspaceAlignment} - 1) / int64_t{workspaceAlignment} * int64_t{workspaceAlignment};
    return workers.run(count, [&](int64_t item, int worker) {
      int64_t row = item / grid[0];
      char *scratch = scratchOf(worker);
      node.builtin->run({slots.data(), item % grid[0], row % grid[1], row / grid[1], scratch, node.kernels.data(),
                         scratch + kernelOffset});
    });
  }

  /// Adds a node's counts and operations to the report.
  Status account(const ProgramNode &node, const std::vector<int64_t> &slots) {
    if (node.countsBlocks) {
      int queryHeads = frame.bound.sizes.heads / frame.bound.sizes.headsKV;
      int64_t pairs = program.known.group >= 0 ? frame.symbols[static_cast<size_t>(program.known.group)] : frame.pairs;
      TERCET_TRY(ClassCounts counts, countClasses(node.builtin->classMap(slots.data()), pairs * queryHeads, workers));
      report->criticalBlocks += counts.critical;
      report->marginalBlocks += counts.marginal;
      report->negligibleBlocks += counts.negligible;
      set(program.known.critical, counts.critical);
      set(program.known.marginal, counts.marginal);
      set(program.known.negligible, counts.negligible);
    }
    TERCET_TRY(int64_t flops, node.flops.evaluate(frame.symbols));
    stageFlops[node.stage] += static_cast<double>(flops);
    return {};
  }

  const Program &program;
  Frame &frame;
  const Workers &workers;
  char *workspace;
  LaunchReport *report;
  std::vector<double> stageMs, stageFlops;
};

} // namespace

Status execute(const Program &program, Frame &frame, const Workers &workers, char *workspace, LaunchReport *report) {
  if (report)
    *report = {};
  return Execution(program, frame, workers, workspace, report).run();
}

} // namespace tercet::rt
