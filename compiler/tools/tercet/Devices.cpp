// tercet devices: what this machine can execute on, with the target names to say.
#include "Command.h"

#include "tercet/Cpu.h"
#include "tercet/Environment.h"

#include <CLI/CLI.hpp>

#include <dlfcn.h>
#include <fstream>
#include <thread>

namespace tercet::cli {
namespace {

/// The processor's name as the kernel gives it; empty where it gives none.
std::string processorName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name"))
      if (size_t colon = line.find(": "); colon != std::string::npos)
        return line.substr(colon + 2);
  return "";
}

/// Whether the NVIDIA driver's library can be loaded; a device is executed on only by builds with a CUDA runtime.
bool hasCudaDriver() {
  void *library = ::dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (library)
    ::dlclose(library);
  return library != nullptr;
}

class DevicesCommand final : public Command {
public:
  std::string name() const override { return "devices"; }
  std::string summary() const override { return "list what this machine can execute on"; }
  void declare(CLI::App &app) override { app.add_flag("--json", json, "one JSON object on standard output"); }

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
    bool driver = hasCudaDriver();
    text += driver ? "cuda       a driver is here, but this build does not execute on it\n"
                   : "cuda       no driver on this machine\n";
    Json object = {{"devices", devices}, {"default_target", "cpu"}, {"cuda_driver", driver}};
    TERCET_RETURN_IF_ERROR(json ? printJson(object) : printText(text));
    return exitOk;
  }

private:
  bool json = false;
};

} // namespace

std::unique_ptr<Command> makeDevicesCommand() { return std::make_unique<DevicesCommand>(); }

} // namespace tercet::cli
