// The floor model of attend and gradient kernels. A step of a block of threads takes the longest of what its matrix units, the path
// from L2, shared memory, exponentials and instruction issue need; of one that has the processor to itself, also what does not overlap.
#include "tercet/compiler/cuda/GpuLowering.h"

#include <algorithm>
#include <cmath>

namespace tercet::compiler {

namespace {

using tkern::Space;
using tkern::WorkerKind;

/// Of a processor (multiprocessor) and clock. Rates of matrix units: the architecture's dense bf16 rate; others are the same on all that
/// are known here. bytesFromL2 is 5.5 TB/s of an H100's 132 processors.
struct ProcessorRates {
  double processors, flops, gigahertz;
};
constexpr double bytesFromL2 = 24, sharedBytesPerClock = 128, exponentials = 16, warpInstructions = 4;

ProcessorRates ratesOf(const CudaTarget &target) {
  switch (target.number) {
  case 80:
    return {108, 2048, 1.41};
  case 86:
    return {84, 1024, 1.7};
  case 89:
    return {128, 1024, 2.5};
  case 90:
    return {132, target.hasWarpgroups ? 4096.0 : 2048.0, 1.75};
  case 120:
    return {170, 1024, 2.4};
  default:
    return {148, 2048, 1.9};
  }
}

/// What a step does: products of rows by columns, `depth` deep together, and what it reads.
struct Step {
  double rows, cols, depth, operandBytes;
};

/// Warp instructions per warp and step, counted on the simulator at head dimension 128: 323 for 64 keys and 449 for 128.
constexpr double instructionsPerStep = 197, instructionsPerColumn = 1.97;

double clocksOf(const Step &step, tkern::GpuScheduleAttr schedule, double blocks, const ProcessorRates &rates) {
  bool isWarp = schedule.getWorker() == WorkerKind::Warp;
  double warps = isWarp ? schedule.getWorkers() : 4 * schedule.getWorkers();
  double products = 2 * step.rows * step.cols * step.depth / rates.flops;
  double fromL2 = step.cols * step.operandBytes / bytesFromL2;
  double exp = step.rows * step.cols / exponentials;
  // Every warp (warpgroup) reads the columns' operands for itself, and its rows where these are not in registers: again for every 64
  // columns of a product.
  double readers = static_cast<double>(schedule.getWorkers());
  double shared = readers * step.cols * step.operandBytes / sharedBytesPerClock;
  if (schedule.getQueries() == Space::Shared)
    shared += step.rows * step.operandBytes / 2 * std::ceil(step.cols / 64) / sharedBytesPerClock;
  double issued = warps * (instructionsPerStep + instructionsPerColumn * step.cols) / warpInstructions;
  double longest = std::max({products, fromL2, exp, shared, issued});
  // Copies run ahead as far as there are slots; beside another block of threads softmax and products overlap.
  double latency = schedule.getSlots() == 1 ? 800 : schedule.getSlots() == 2 ? 200 : 100;
  if (blocks >= 2)
    return longest + latency / blocks;
  return longest + 0.5 * (products + exp + issued - std::max({products, exp, issued})) + latency;
}

} // namespace

std::vector<std::pair<std::string, std::string>> knobsOf(tkern::GpuScheduleAttr schedule) {
  std::vector<std::pair<std::string, std::string>> knobs = {
      {"worker", tkern::stringifyWorkerKind(schedule.getWorker()).str()},
      {"workers", std::to_string(schedule.getWorkers())},
      {"keys", std::to_string(schedule.getKeys())},
      {"slots", std::to_string(schedule.getSlots())},
      {"queries", tkern::stringifySpace(schedule.getQueries()).str()},
      {"registers", fmt::format("{}:{}", schedule.getProducerRegisters(), schedule.getConsumerRegisters())}};
  if (schedule.getSplit() != 0)
    knobs.emplace_back("split", std::to_string(schedule.getSplit()));
  return knobs;
}

double predictedMs(const GpuProgram &program, const GpuStage &stage, const GpuForm &form, const CudaTarget &target,
                   const ExpectedCall &call) {
  tkern::GpuScheduleAttr schedule = form.attribute;
  if (!schedule)
    return 0;
  ProcessorRates rates = ratesOf(target);
  bool isGradient = stage.stage == "gradient";
  auto D = static_cast<double>(program.paddedHeadDim()), DV = static_cast<double>(program.paddedValueDim());
  auto bytes = static_cast<double>(dtypeSize(program.dtype));
  Step step{static_cast<double>(schedule.getBlockRows()), static_cast<double>(schedule.getKeys()),
            (isGradient ? 2 : 1) * (D + DV), (D + DV) * bytes};
  if (program.isWide())
    rates.flops /= 8; // three products of rounded parts, at half the rate

  double threads = static_cast<double>(schedule.getThreads());
  bool isWarp = schedule.getWorker() == WorkerKind::Warp;
  double byShared =
      std::floor(static_cast<double>(target.sharedBytesPerProcessor) / static_cast<double>(form.sharedBytes + 1024));
  double byRegisters = std::floor(65536 / (threads * (isWarp ? static_cast<double>(form.registers) : 168)));
  double perProcessor = std::clamp(std::min(byShared, byRegisters), 1.0, 2048 / threads);

  // Rows of several query blocks take the union of their lists, of which neighbours have half in common.
  double listRows = program.classified() ? static_cast<double>(program.listRows()) : step.rows;
  double lists = std::max(1.0, step.rows / listRows);
  double kept = program.listed() ? std::min(1.0, call.kept.value_or(1) * (1 + (lists - 1) / 2)) : 1;
  double rows = static_cast<double>(call.queries), columns = static_cast<double>(call.keys);
  double heads = static_cast<double>(call.batch * call.heads);
  double blocks = heads * std::ceil(rows / step.rows), steps = std::ceil(columns * kept / step.cols);
  double atOnce = rates.processors * perProcessor, waves = std::ceil(blocks / atOnce);
  return waves * perProcessor * steps * clocksOf(step, schedule, perProcessor, rates) / (rates.gigahertz * 1e6);
}

} // namespace tercet::compiler
