#include "TunePack.h"

#include "MeasurePack.h"
#include "PreparePack.h"
#include "ShapeText.h"
#include "TargetName.h"

#include "tercet/autotune/Database.h"

namespace tercet::cli {
namespace {

Result<ExitCode> prepareHere(const PackOptions &options, const PackCall &call) {
  if (call.grad)
    return Status::make(Code::unsupportedTarget, "packs hold no gradients yet: leave --grad out");
  if (call.target.empty())
    return Status::make(Code::invalidArgument, "--target is missing: what to compile for, such as sm_90a or cpu:v3");
  TERCET_TRY(TargetName target, parseTarget(call.target));
  if (target.kind != TargetName::Kind::gpuArchitecture && target.kind != TargetName::Kind::cpu)
    return Status::make(Code::unsupportedTarget,
                        "--prepare is for an architecture, such as sm_90a, or a CPU, such as cpu:v3, not for '{}'",
                        call.target);
  TERCET_TRY(LoadedSpec spec, loadSpec(call.spec));
  if (call.shape.empty())
    return Status::make(Code::invalidArgument, "--shape is missing: the call to tune for");
  TERCET_TRY(reference::Shape shape, parseShape(call.shape));
  TERCET_RETURN_IF_ERROR(checkOutputPath(options.prepare));
  TERCET_TRY(ScheduleRequest schedules, options.schedules.resolve());
  DType dtype = target.kind == TargetName::Kind::cpu ? DType::f32 : DType::bf16;
  if (!call.dtype.empty())
    parseDType(call.dtype, dtype);
  TERCET_TRY(Json object, preparePack({spec, shape, dtype, target.text, schedules, options.prepare, options.most}));
  TERCET_RETURN_IF_ERROR(call.json ? printJson(object) : printText(prepareText(object)));
  return exitOk;
}

Result<ExitCode> measureHere(const PackOptions &options, const PackCall &call) {
  if (!call.spec.spec.empty() || !call.spec.settings.empty() || !call.shape.empty() || !call.dtype.empty())
    return Status::make(Code::invalidArgument,
                        "--measure brings program and call; SPEC, --set, --shape and --dtype do not go with it");
  run::MeasureOptions measure;
  measure.pack = options.measure;
  measure.target = call.target.empty() ? "cuda:0" : call.target;
  measure.database = call.database.empty() ? tune::userDatabase() : std::filesystem::path(call.database);
  measure.budgetSeconds = call.budgetSeconds;
  measure.isolated = measure.target.starts_with("cuda");
  TERCET_TRY(Json object, run::measurePack(measure));
  TERCET_RETURN_IF_ERROR(call.json ? printJson(object) : printText(run::measureText(object)));
  return object["passed"].get<bool>() ? exitOk : exitInput;
}

} // namespace

void PackOptions::declare(Options &options) {
  options.text("--prepare", prepare, "FILE",
               "compile every candidate for an architecture into a pack, without a device");
  options.text("--measure", measure, "FILE",
               "tune by a pack, on a machine with the device (also: tercet-run --measure)");
  options.wholeNumber("--most", most, 2, 8192,
                      "with --prepare: candidates per kernel, those that the model ranks best");
  schedules.declare(options);
}

Result<ExitCode> tuneByPack(const PackOptions &options, const PackCall &call) {
  if (!options.prepare.empty() && !options.measure.empty())
    return Status::make(Code::invalidArgument, "--prepare and --measure exclude each other: they are for two machines");
  return options.prepare.empty() ? measureHere(options, call) : prepareHere(options, call);
}

} // namespace tercet::cli
