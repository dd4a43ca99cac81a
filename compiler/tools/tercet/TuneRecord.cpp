#include "TuneRecord.h"

#include "tercet/Cpu.h"
#include "tercet/ScheduleSpace.h"

namespace tercet::cli {
namespace {

tune::Cost costOf(const std::vector<double> &times) {
  return {tune::quantile(times, 0.5), tune::quantile(times, 0.25), tune::quantile(times, 0.75),
          static_cast<int64_t>(times.size())};
}

tune::Machine machineOf(const Executor &executor) {
  if (const rt::GpuDevice *device = executor.device()) {
    const rt::GpuProperties &properties = device->properties();
    return {properties.name, properties.multiprocessors, properties.driver, ""};
  }
  return {processorName(), executor.threads(), "", ""};
}

} // namespace

tune::Record makeTuneRecord(const TuneBench &bench, Direction direction) {
  const Executor &executor = bench.executor();
  const Artifact &artifact = *executor.artifact();
  tune::Record record;
  record.key = {artifact.specDigest, executor.module()->target, std::string(dtypeName(artifact.dtype)),
                artifact.headDim,    artifact.valueDim,         directionName(direction)};
  record.specName = artifact.specName;
  record.shape = bench.shape();
  record.machine = machineOf(executor);
  record.date = tune::dateNow();
  return record;
}

void addOutcome(tune::Record &record, std::vector<std::pair<std::string, std::string>> schedules,
                const tune::TuneResult &last) {
  record.schedules = std::move(schedules);
  const tune::Estimate &ofDefault = last.candidates.front().estimate;
  record.defaultCost = tune::Cost{ofDefault.median, ofDefault.low, ofDefault.high, ofDefault.samples};
  record.cost = *record.defaultCost;
  if (last.beatsDefault()) { // from the same rounds: the machine was as fast for both
    record.cost = costOf(last.pairedBest);
    record.defaultCost = costOf(last.pairedDefault);
  }
}

} // namespace tercet::cli
