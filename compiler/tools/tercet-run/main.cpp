// tercet-run: artifacts on this machine's CPU, GPUs or the simulator, without a compiler.
//   tercet-run ARTIFACT.. --in q=q.npy --in k=k.npy --in v=v.npy --out o=o.npy [--set keep=0.05] [--target T] [--json]
//   tercet-run ARTIFACT.. --grad .. --in do=do.npy --out dq=dq.npy
//   tercet-run --measure PACK [--db FILE] [--budget SECONDS] [--target T] [--json]
//   tercet-run --cases cases.json [--only TEXT] [--no-benchmarks] [--json-file F] [--markdown F] [--target T]
#include "Conformance.h"
#include "FileCall.h"
#include "MarkdownReport.h"
#include "MeasurePack.h"
#include "TableRun.h"

#include "tercet/AtomicFile.h"
#include "tercet/Environment.h"
#include "tercet/autotune/Database.h"

#include <CLI/CLI.hpp>

using namespace tercet;
using namespace tercet::run;
using cli::Json;

namespace {

struct Options {
  FileCallOptions call;
  TableOptions table;
  std::string target = "cuda:0", jsonFile, markdownFile, conformance;
  MeasureOptions measure;
  bool json = false, noBenchmarks = false, benchmarksOnly = false, together = false;
};

Status writeText(const std::string &path, const std::string &text) {
  if (path.empty())
    return {};
  return writeFileAtomically(path, {reinterpret_cast<const uint8_t *>(text.data()), text.size()});
}

Result<cli::ExitCode> runEntries(Options options) {
  options.table.target = options.target;
  options.table.benchmarks = !options.noBenchmarks;
  options.table.cases = !options.benchmarksOnly;
  options.table.isolated = options.target.starts_with("cuda") && !options.together;
  TERCET_TRY(Json results, runTable(options.table));
  std::string page = markdown(results);
  TERCET_RETURN_IF_ERROR(writeText(options.jsonFile, results.dump(2) + "\n"));
  TERCET_RETURN_IF_ERROR(writeText(options.markdownFile, page));
  TERCET_RETURN_IF_ERROR(options.json ? cli::printJson(results) : cli::printText(page));
  return results["passed"].get<bool>() ? cli::exitOk : cli::exitInput;
}

/// Prints how many kernels agree; differences are findings about the simulator, not failures of this machine.
Result<cli::ExitCode> runConformance(const Options &options) {
  TERCET_TRY(Json results, checkConformance(options.conformance, options.target));
  TERCET_RETURN_IF_ERROR(writeText(options.jsonFile, results.dump(1) + "\n"));
  std::string page =
      fmt::format("# Conformance: {} of {} one-instruction kernels give the simulator's bits on {}\n\n",
                  results["equal"].get<int64_t>(), results["kernels"].size(), results["device"].get<std::string>());
  page += "| kernel | result |\n|---|---|\n";
  for (const Json &kernel : results["kernels"]) {
    std::string state = kernel["equal"].get<bool>() ? "equal" : "";
    if (kernel.contains("skipped"))
      state = "skipped: " + kernel["skipped"].get<std::string>();
    if (state.empty())
      for (const Json &fill : kernel["fills"])
        if (fill["different"].get<int64_t>() > 0)
          state += fmt::format("{}: {} of {} words differ, {}; ", fill["fill"].get<std::string>(),
                               fill["different"].get<int64_t>(), fill["words"].get<size_t>(),
                               fill["first"].get<std::string>());
    page += fmt::format("| {} | {} |\n", kernel["kernel"].get<std::string>(), state);
  }
  TERCET_RETURN_IF_ERROR(writeText(options.markdownFile, page));
  TERCET_RETURN_IF_ERROR(options.json ? cli::printJson(results) : cli::printText(page));
  return cli::exitOk;
}

Result<cli::ExitCode> runMeasure(MeasureOptions measure, const Options &options) {
  measure.target = options.target;
  measure.isolated = options.target.starts_with("cuda") && !options.together;
  if (measure.database.empty())
    measure.database = tune::userDatabase();
  TERCET_TRY(Json results, measurePack(measure));
  TERCET_RETURN_IF_ERROR(writeText(options.jsonFile, results.dump(2) + "\n"));
  TERCET_RETURN_IF_ERROR(options.json ? cli::printJson(results) : cli::printText(measureText(results)));
  return results["passed"].get<bool>() ? cli::exitOk : cli::exitInput;
}

Result<cli::ExitCode> runProgram(const Options &options) {
  if (!options.measure.pack.empty())
    return runMeasure(options.measure, options);
  if (!options.conformance.empty())
    return runConformance(options);
  if (options.table.table.empty() == options.call.artifacts.empty())
    return Status::make(Code::invalidArgument, "give either artifacts and --in, or --cases FILE");
  if (!options.table.table.empty())
    return runEntries(options);
  TERCET_TRY(OpenedTarget target, openTarget(options.target));
  TERCET_TRY(Json object, runFiles(target.view(options.target), options.call));
  if (options.json)
    TERCET_RETURN_IF_ERROR(cli::printJson(object));
  else
    TERCET_RETURN_IF_ERROR(
        cli::printText(fmt::format("{} on {} ({}): {:.3f} ms\n", object["spec"].get<std::string>(), options.target,
                                   object["module"].get<std::string>(), object["ms"].get<double>())));
  return cli::exitOk;
}

void repeated(CLI::App &app, const char *name, std::vector<std::string> &values, const char *text) {
  app.add_option_function<std::string>(
         name, [&values](const std::string &value) { values.push_back(value); }, text)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->trigger_on_parse();
}

} // namespace

int main(int argc, char **argv) {
  Options options;
  CLI::App app("Runs artifacts of tercet without its compiler.", "tercet-run");
  app.set_version_flag("--version", std::string("tercet-run " TERCET_VERSION));
  app.add_option("ARTIFACT", options.call.artifacts, "artifacts of one program, for one or several targets");
  app.add_option("--target", options.target, "cuda:N, sim:sm_80 .., cpu (default cuda:0)")->type_name("T");
  repeated(app, "--in", options.call.in, "an input tensor, .npy or .safetensors: NAME=FILE[:TENSOR]");
  repeated(app, "--out", options.call.out, "write an output: NAME=FILE");
  repeated(app, "--set", options.call.set, "a runtime parameter: NAME=VALUE");
  app.add_flag("--grad", options.call.grad, "also run the backward, from --in do=FILE; outputs dq, dk, dv, ..");
  app.add_option("--cases", options.table.table, "a table of cases with expected rows")->type_name("FILE");
  app.add_option("--measure", options.measure.pack, "tune by a pack that tercet tune --prepare wrote")
      ->type_name("FILE");
  app.add_option("--db", options.measure.database,
                 "with --measure: the file to add the record to (default: the user's)")
      ->type_name("FILE");
  app.add_option("--budget", options.measure.budgetSeconds, "with --measure: seconds to measure for (default 60)")
      ->check(CLI::Range(0.1, 86400.0));
  app.add_option("--conformance", options.conformance, "compare one-instruction kernels with the simulator")
      ->type_name("FOLDER");
  app.add_option("--only", options.table.only, "run the entries whose name holds this text");
  app.add_option("--beside", options.table.beside,
                 "also run every case on this target and compare; sim: the simulator of the code's architecture")
      ->type_name("T");
  app.add_flag("--no-benchmarks", options.noBenchmarks, "check, and time nothing");
  app.add_flag("--benchmarks-only", options.benchmarksOnly, "time, and check nothing");
  app.add_option("--repetitions", options.table.timing.repetitions, "timed replays of a benchmark (default 50)")
      ->check(CLI::Range(1, 100000));
  app.add_option("--largest", options.table.timing.largestTokens, "skip benchmarks of more tokens than this");
  app.add_option("--seconds", options.table.seconds,
                 "on CUDA devices: the longest that one entry may take (default 120)");
  app.add_flag("--together", options.together, "on CUDA devices: all entries in one process");
  app.add_option("--json-file", options.jsonFile, "write the results as JSON")->type_name("FILE");
  app.add_option("--markdown", options.markdownFile, "write the results as a page")->type_name("FILE");
  app.add_flag("--json", options.json, "one JSON object on standard output");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &wanted) {
    return app.exit(wanted);
  } catch (const CLI::ParseError &error) {
    cli::printError(Status::make(Code::invalidArgument, "{}", error.what()));
    return cli::exitInput;
  }
  environment(); // reports unknown TERCET_* variables
  Result<cli::ExitCode> code = runProgram(options);
  if (code.ok())
    return *code;
  cli::printError(code.status());
  return cli::exitCodeOf(code.status().code());
}
