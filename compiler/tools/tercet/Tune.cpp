#include "TunePack.h"

namespace tercet::cli {
namespace {

class TuneCommand final : public Command {
public:
  std::string name() const override { return "tune"; }
  std::string summary() const override { return "search the best schedule on this machine, and remember it"; }
  void declare(Options &options) override {
    call.spec.declare(options);
    options.text("--shape", call.shape, "S", "");
    options.text("--target", call.target, "T", "");
    options.text("--dtype", call.dtype, "T", "");
    options.text("--db", call.database, "FILE", "");
    options.text("--budget", budget, "60s", "");
    packs.declare(options);
    options.json(call.json);
  }
  Result<ExitCode> run() override {
    if (!budget.empty())
      call.budgetSeconds = std::stod(budget);
    return tuneByPack(packs, call);
  }

private:
  PackCall call;
  PackOptions packs;
  std::string budget;
};

} // namespace

std::unique_ptr<Command> makeTuneCommand() { return std::make_unique<TuneCommand>(); }

} // namespace tercet::cli
