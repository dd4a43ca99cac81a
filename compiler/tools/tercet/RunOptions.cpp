// Declares the shared options and makes the seeded sweeps: random shapes and random runtime settings of one compiled
// spec, which show that neither compiles anything more.
#include "RunOptions.h"

#include <cmath>

namespace tercet::cli {
namespace {

/// Random sizes small enough that hundreds of them run in seconds.
reference::Shape randomShape(const reference::Shape &base, const reference::RandomStream &random, uint64_t index) {
  auto draw = [&](uint64_t field, int64_t low, int64_t high) {
    return low + static_cast<int64_t>(random.uniform(index * 8 + field) * static_cast<double>(high - low + 1));
  };
  reference::Shape shape = base;
  shape.batch = draw(0, 1, 3);
  shape.headsKV = draw(1, 1, 3);
  shape.heads = shape.headsKV * draw(2, 1, 3);
  shape.tokensQ = draw(3, 1, 700);
  shape.tokensK = draw(4, 1, 700);
  return shape;
}

/// Under a token order also random sizes of its grid, with as many tokens as these and text make.
Case randomCase(const Case &base, const std::optional<reference::GridOrder> &order,
                const reference::RandomStream &random, const reference::RandomStream &ofGrid, uint64_t index) {
  Case result{randomShape(base.shape, random, index), {}};
  if (!order)
    return result;
  std::map<std::string, double> sizes;
  double tokens = 1;
  for (const reference::Number &size : order->grid) {
    auto [drawn, isNew] = sizes.try_emplace(size.parameter);
    if (isNew)
      drawn->second = 1 + std::floor(ofGrid.uniform(index * 8 + sizes.size()) * 12);
    tokens *= drawn->second;
  }
  auto text = [&](int64_t drawn) { return order->text == TextPlace::none ? 0 : drawn % 100; };
  reference::Shape &shape = result.shape;
  int64_t ofQueries = text(shape.tokensQ), ofKeys = text(shape.tokensK);
  shape.tokensQ = static_cast<int64_t>(tokens) + ofQueries;
  shape.tokensK = static_cast<int64_t>(tokens) + (order->text == TextPlace::prefix ? ofQueries : ofKeys);
  result.parameters = {sizes.begin(), sizes.end()};
  return result;
}

/// keep, drop and scale drawn over their legal range, where the spec has them as runtime parameters.
std::vector<std::pair<std::string, double>> randomSettings(const compiler::SpecInfo &info, int64_t headDim,
                                                           const reference::RandomStream &random, uint64_t index) {
  auto isRuntimeFraction = [&](const char *name) {
    const compiler::ParameterInfo *parameter = info.find(name);
    return parameter && !parameter->isStatic && parameter->kind == "f64";
  };
  const std::optional<reference::Selection> &selection = info.program.selection;
  std::vector<std::pair<std::string, double>> settings;
  double keep = random.uniform(index * 8), drop = random.uniform(index * 8 + 1) * (1 - keep);
  if (isRuntimeFraction("keep") && selection && selection->keepUnit != reference::KeepUnit::count)
    settings.emplace_back("keep", keep);
  if (isRuntimeFraction("drop") && selection && !selection->dropIsCount)
    settings.emplace_back("drop", drop);
  if (isRuntimeFraction("scale"))
    settings.emplace_back("scale", std::exp2(2 * random.uniform(index * 8 + 2) - 1) / std::sqrt(double(headDim)));
  return settings;
}

} // namespace

void RunOptions::declare(Options &options) {
  spec.declare(options);
  options.repeated("--in", in, "NAME=FILE[:TENSOR]",
                   "an input tensor, .npy or .safetensors: q, k, v, weights, classes, q_len, k_len; do with --grad");
  options.repeated("--shape", shapes, "b=1,h=12,n=32760,d=128[,m=,hkv=,dv=]",
                   "seeded data of this shape instead of --in; may be repeated: all run in one process");
  options.text("--target", target, "T", "cpu, cpu:v4, cpu:v3, cpu:portable, cuda[:N], sim:ARCH or reference");
  options.choice("--dtype", dtype, {"f32", "f16", "bf16"},
                 "compute input type; default: the files' (f32 with --shape)");
  options.wholeNumber("--seed", seed, 0, INT64_MAX, "seed of made-up data and of sweeps (default 0)");
  options.wholeNumber("--sweep-shapes", sweepShapes, 0, 100000, "also run this many random (b, h, hkv, n, m)");
  options.wholeNumber("--sweep-settings", sweepSettings, 0, 100000, "also run this many random keep, drop and scale");
  schedules.declare(options);
  options.flag("--no-cache", noCache, "compile anew, and keep nothing");
  options.json(json);
}

Result<RunRequest> RunOptions::resolve() const {
  RunRequest request;
  TERCET_TRY(request.target, parseTarget(target));
  TERCET_TRY(request.schedules, schedules.resolve());
  TERCET_RETURN_IF_ERROR(checkRunsHere(request.target));
  TERCET_TRY(request.spec, loadSpec(spec));
  TERCET_RETURN_IF_ERROR(checkSources());
  request.cases.resize(1);
  if (makesData()) {
    TERCET_TRY(request.cases, cases(request.spec));
  }
  return request;
}

Status RunOptions::checkSources() const {
  if (!in.empty() && !shapes.empty())
    return Status::make(Code::invalidArgument, "--in and --shape exclude each other: data is read or made up");
  if (in.empty() && shapes.empty())
    return Status::make(Code::invalidArgument,
                        "no data: give --in q=FILE --in k=FILE --in v=FILE, or --shape for made-up data");
  if (shapes.empty() && (sweepShapes > 0 || sweepSettings > 0))
    return Status::make(Code::invalidArgument, "--sweep-shapes and --sweep-settings need --shape");
  return {};
}

Result<std::vector<Case>> RunOptions::cases(const LoadedSpec &loaded) const {
  std::vector<Case> cases;
  for (const std::string &text : shapes) {
    TERCET_TRY(reference::Shape shape, parseShape(text));
    cases.push_back({shape, {}});
    if (shape.headDim != cases.front().shape.headDim || shape.valueDim != cases.front().shape.valueDim)
      return Status::make(Code::invalidArgument, "--shape {} and {} differ in d or dv, which bind at compile time",
                          shapeText(cases.front().shape), shapeText(shape));
  }
  Case first = cases.front();
  reference::RandomStream shapeStream(static_cast<uint64_t>(seed), "sweep-shapes");
  reference::RandomStream settingStream(static_cast<uint64_t>(seed), "sweep-settings");
  reference::RandomStream gridStream(static_cast<uint64_t>(seed), "sweep-grids");
  for (int64_t i = 0; i < sweepShapes; ++i)
    cases.push_back(randomCase(first, loaded.info.program.order, shapeStream, gridStream, static_cast<uint64_t>(i)));
  for (int64_t i = 0; i < sweepSettings; ++i)
    cases.push_back(
        {first.shape, randomSettings(loaded.info, first.shape.headDim, settingStream, static_cast<uint64_t>(i))});
  return cases;
}

Result<CallData> RunOptions::inputs(const LoadedSpec &loaded, const Case &each, double scale) const {
  if (!makesData())
    return readInputs(loaded, in, dtype, grad);
  DType computeDType = DType::f32;
  parseDType(dtype, computeDType); // leaves f32 where there is no --dtype
  LoadedSpec set = loaded;         // sizes follow from some parameters
  for (const auto &[name, value] : each.parameters) {
    std::erase_if(set.runtimeSettings, [&](const auto &parameter) { return parameter.first == name; });
    set.runtimeSettings.emplace_back(name, value);
  }
  return makeInputs(set, each.shape,
                    {.seed = static_cast<uint64_t>(seed), .dtype = computeDType, .scale = scale, .withGradient = grad});
}

ExecutorOptions RunOptions::executorOptions(const RunRequest &request, const CallData &call) const {
  return {.target = request.target,
          .headDim = call.sizes.headDim,
          .valueDim = call.sizes.valueDim,
          .dtype = call.sizes.dtype,
          .grad = grad,
          .useCache = !noCache,
          .schedules = request.schedules,
          .expected = expectedCall(request.spec, call)};
}

Json parametersJson(const Arguments &arguments) {
  Json object = Json::object();
  for (const auto &[name, value] : arguments.parameters)
    object[name] = value;
  return object;
}

} // namespace tercet::cli
