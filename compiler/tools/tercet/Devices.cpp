// tercet devices: what this machine can execute on, with the target names to say.
#include "Command.h"

#include "tercet/Cpu.h"
#include "tercet/rt/CudaDriver.h"

#include <thread>

namespace tercet::cli {
namespace {

Json gpuJson(const rt::GpuProperties &device) {
  return {{"device", device.target},
          {"name", device.name},
          {"architecture", device.architecture},
          {"compute_capability", fmt::format("{}.{}", device.major, device.minor)},
          {"multiprocessors", device.multiprocessors},
          {"memory_bytes", device.memoryBytes},
          {"l2_bytes", device.l2Bytes},
          {"shared_bytes_per_block", device.sharedBytesPerBlock},
          {"driver", device.driver},
          {"targets", {device.target}}};
}

class DevicesCommand final : public Command {
public:
  std::string name() const override { return "devices"; }
  std::string summary() const override { return "list what this machine can execute on"; }
  void declare(Options &options) override { options.json(json); }

  Result<ExitCode> run() override {
    Json devices = Json::array();
    std::string text;
    CpuLevel level = detectCpuLevel();
    unsigned cores = std::max(1u, std::thread::hardware_concurrency());
    Json targets = Json::array({"cpu"});
    for (CpuLevel each : {CpuLevel::v4, CpuLevel::v3, CpuLevel::portable})
      if (each <= level)
        targets.push_back(fmt::format("cpu:{}", cpuLevelName(each)));
    std::string processor = processorName();
    devices.push_back({{"device", "cpu"},
                       {"name", processor},
                       {"level", cpuLevelName(level)},
                       {"cores", cores},
                       {"targets", targets}});
    text += fmt::format("cpu        {} ({} cores, instruction set cpu:{})\n",
                        processor.empty() ? "processor" : processor, cores, cpuLevelName(level));
    devices.push_back({{"device", "reference"}, {"name", "fp64 evaluator"}, {"targets", {"reference"}}});
    text += "reference  the fp64 evaluator, for checking\n";
    devices.push_back({{"device", "sim"},
                       {"name", "PTX simulator"},
                       {"targets", {"sim:sm_80", "sim:sm_86", "sim:sm_89", "sim:sm_90", "sim:sm_90a", "sim:sm_120"}}});
    text += "sim        the PTX simulator, for checking GPU kernels: sim:sm_80, sim:sm_90a and so on\n";
    Result<int> gpus = rt::countCudaDevices();
    if (!gpus.ok())
      text += fmt::format("cuda       {}\n", gpus.status().message());
    for (int index = 0; gpus.ok() && index < *gpus; ++index) {
      Result<std::shared_ptr<rt::GpuDevice>> device = rt::openCudaDevice(index);
      if (!device.ok()) {
        printWarning(device.status().message());
        continue;
      }
      const rt::GpuProperties &properties = (*device)->properties();
      devices.push_back(gpuJson(properties));
      text += fmt::format("{:<10} {} ({}, {} multiprocessors, {:.0f} GiB, {})\n", properties.target, properties.name,
                          properties.architecture, properties.multiprocessors,
                          static_cast<double>(properties.memoryBytes) / (1 << 30), properties.driver);
    }
    Json object = {{"devices", devices}, {"default_target", "cpu"}, {"cuda_driver", gpus.ok()}};
    if (!gpus.ok())
      object["cuda_reason"] = gpus.status().message();
    TERCET_RETURN_IF_ERROR(json ? printJson(object) : printText(text));
    return exitOk;
  }

private:
  bool json = false;
};

} // namespace

std::unique_ptr<Command> makeDevicesCommand() { return std::make_unique<DevicesCommand>(); }

} // namespace tercet::cli
