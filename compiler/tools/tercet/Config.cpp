// tercet config: the environment as Tercet sees it, and where each value came from.
#include "Command.h"

#include "tercet/CacheDirectory.h"
#include "tercet/Cpu.h"
#include "tercet/Environment.h"
#include "tercet/autotune/Database.h"
#include "tercet/compiler/cuda/Nvrtc.h"

#include <llvm/Config/llvm-config.h>

#include <thread>

namespace tercet::cli {
namespace {

/// Every variable with its value as parsed; empty where it is not set or was ignored.
std::vector<std::pair<std::string, std::string>> variables(const Environment &settings) {
  constexpr const char *levels[] = {"", "warn", "info", "debug"};
  return {{"TERCET_CACHE_DIR", settings.cacheDir},
          {"TERCET_LOG", levels[static_cast<int>(settings.logLevel)]},
          {"TERCET_THREADS", settings.threads > 0 ? fmt::format("{}", settings.threads) : ""},
          {"TERCET_NVRTC", settings.nvrtc},
          {"TERCET_DUMP_DIR", settings.dumpDir},
          {"TERCET_DB", settings.database}};
}

class ConfigCommand final : public Command {
public:
  std::string name() const override { return "config"; }
  std::string summary() const override { return "print versions, directories and the environment"; }
  void declare(Options &options) override { options.json(json); }

  Result<ExitCode> run() override {
    const Environment &settings = environment();
    unsigned cores = std::max(1u, std::thread::hardware_concurrency());
    Json set = Json::object();
    for (const auto &[variable, value] : variables(settings))
      if (!value.empty())
        set[variable] = value;
    auto nvrtc = compiler::Nvrtc::get();
    Json object = {{"version", TERCET_VERSION},
                   {"llvm", LLVM_VERSION_STRING},
                   {"cache_dir", defaultCacheDirectory().string()},
                   {"tuning_db", tune::userDatabase().string()},
                   {"threads", settings.threads > 0 ? settings.threads : static_cast<int>(cores)},
                   {"cpu_level", cpuLevelName(detectCpuLevel())},
                   {"nvrtc", nvrtc.ok() ? Json((*nvrtc)->path()) : Json(nullptr)},
                   {"nvrtc_version", nvrtc.ok() ? Json((*nvrtc)->version()) : Json(nullptr)},
                   {"environment", set},
                   {"warnings", settings.warnings}};
    if (json) {
      TERCET_RETURN_IF_ERROR(printJson(object));
      return exitOk;
    }
    std::string text;
    for (const auto &[key, value] : object.items())
      if (!value.is_structured())
        text += fmt::format("{:<13} {}\n", key,
                            value.is_null()     ? "(not found)"
                            : value.is_string() ? value.get<std::string>()
                                                : value.dump());
    text += "environment\n";
    for (const auto &[variable, value] : variables(settings))
      text += fmt::format("  {:<17} {}\n", variable, value.empty() ? "(not set)" : value);
    for (const std::string &warning : settings.warnings)
      text += fmt::format("  warning: {}\n", warning);
    TERCET_RETURN_IF_ERROR(printText(text));
    return exitOk;
  }

private:
  bool json = false;
};

} // namespace

std::unique_ptr<Command> makeConfigCommand() { return std::make_unique<ConfigCommand>(); }

} // namespace tercet::cli
