#include "CaseResult.h"

namespace tercet::run {
namespace {

using cli::Json;

Json errorsJson(const OutputErrors &errors) {
  auto measure = [](double value, double bound) { return Json{{"value", value}, {"bound", bound}}; };
  return {{"passed", errors.passed()},
          {"relative_l2", measure(errors.relativeL2, errors.bounds.relativeL2)},
          {"max_error", measure(errors.max, errors.bounds.max)},
          {"mean_error", measure(errors.mean, errors.bounds.mean)},
          {"non_finite", errors.nonFinite}};
}

} // namespace

Json toJson(const CaseResult &result) {
  Json object = {{"name", result.name}, {"spec", result.spec}, {"module", result.module}, {"passed", result.passed()}};
  if (!result.skipped.empty())
    object["skipped"] = result.skipped;
  if (!result.error.empty())
    object["error"] = result.error;
  if (result.errors) {
    object["rows"] = result.errors->rows;
    object["o"] = errorsJson(result.errors->o);
    if (result.errors->lse)
      object["lse"] = errorsJson(*result.errors->lse);
    if (result.errors->classRows > 0)
      object["classes"] = {{"passed", result.errors->classesPassed},
                           {"rows", result.errors->classRows},
                           {"different", result.errors->classRowsDiffering},
                           {"token_rows_left_out", result.errors->rowsElsewhere}};
    object["deterministic"] = result.deterministic;
  }
  if (result.graphs.ran)
    object["graph"] = {{"passed", result.graphs.passed()},
                       {"same_data", result.graphs.sameData},
                       {"changed_data", result.graphs.changedData},
                       {"changed_parameters", result.graphs.changedParameters},
                       {"parameters_matter", result.graphs.parametersMatter}};
  if (result.beside)
    object["beside"] = {{"passed", result.beside->passed()},
                        {"target", result.beside->target},
                        {"relative_l2", {{"value", result.beside->relativeL2}, {"bound", result.beside->bound}}},
                        {"equal_share", result.beside->equalShare}};
  for (const rt::GpuKernelCounts &kernel : result.counts) {
    Json counts = {{"kernel", kernel.kernel}, {"launches", kernel.launches}};
    for (const auto &[name, value] : kernel.counts)
      counts[name] = value;
    object["kernels"].push_back(std::move(counts));
  }
  return object;
}

Json toJson(const BenchmarkResult &result) {
  Json object = {{"name", result.name},
                 {"spec", result.spec},
                 {"module", result.module},
                 {"passed", result.error.empty() && !result.ms.empty()},
                 {"dtype", result.dtype},
                 {"shape",
                  {{"b", result.batch},
                   {"h", result.heads},
                   {"hkv", result.headsKV},
                   {"n", result.queries},
                   {"m", result.keys},
                   {"d", result.headDim},
                   {"dv", result.valueDim}}}};
  if (!result.skipped.empty())
    object["skipped"] = result.skipped;
  if (!result.error.empty())
    object["error"] = result.error;
  if (result.ms.empty())
    return object;
  auto at = [&](size_t quarter) { return result.ms[(result.ms.size() - 1) * quarter / 4]; };
  object["repetitions"] = result.ms.size();
  object["ms"] = at(2);
  object["ms_quartiles"] = {at(1), at(2), at(3)};
  object["executed_flop"] = result.flops;
  object["executed_tflops"] = result.flops / (at(2) * 1e9);
  object["stages"] = Json::array();
  for (const auto &[stage, ms] : result.stageMs)
    object["stages"].push_back({{"stage", stage}, {"ms", ms}});
  if (result.criticalBlocks + result.marginalBlocks + result.negligibleBlocks > 0)
    object["blocks"] = {
        {"kept", result.criticalBlocks}, {"linear", result.marginalBlocks}, {"skipped", result.negligibleBlocks}};
  return object;
}

} // namespace tercet::run
