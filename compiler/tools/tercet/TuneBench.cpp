// The gate has two halves. A small call is compared with the oracle in full, gradients included, and with larger scores. The tuned
// call is compared on seeded rows; of its gradients, for which the oracle would take minutes, with those of the default.
#include "TuneBench.h"

#include "tercet/rt/FmaProbe.h"
#include "tercet/rt/PlanEstimate.h"

#include <chrono>
#include <cmath>
#include <cstring>

namespace tercet::cli {
namespace {

constexpr double fewestMs = 5; // of a sample: shorter launches are repeated, for the clock and for the probes
constexpr double probeMs = 2;
constexpr int64_t oracleRows = 32;   // of the tuned call, beside the small one
constexpr int64_t smallTokens = 327; // some blocks of any size, the last one ragged
constexpr double smallScale = 4;     // of q and k: errors of exponentials show at larger scores

/// |a - b| / |b| over all elements.
double relativeDifference(const Tensor &a, const Tensor &b) {
  double difference = 0, norm = 0;
  for (int64_t i = 0; i < a.shape[0]; ++i)
    for (int64_t j = 0; j < a.shape[1]; ++j)
      for (int64_t k = 0; k < a.shape[2]; ++k)
        for (int64_t l = 0; l < a.shape[3]; ++l) {
          double right = b.get(i, j, k, l), error = a.get(i, j, k, l) - right;
          difference += error * error;
          norm += right * right;
        }
  return norm > 0 ? std::sqrt(difference / norm) : std::sqrt(difference);
}

/// The mean, over pairs of neighbouring rows of blocks, of the share of the first one's critical blocks that the second has, too.
std::optional<double> overlapOf(const Tensor &classes) {
  double sum = 0;
  int64_t pairs = 0;
  for (int64_t batch = 0; batch < classes.shape[0]; ++batch)
    for (int64_t head = 0; head < classes.shape[1]; ++head)
      for (int64_t row = 0; row + 1 < classes.shape[2]; ++row) {
        int64_t own = 0, shared = 0;
        for (int64_t column = 0; column < classes.shape[3]; ++column) {
          bool isListed = classes.get(batch, head, row, column) > 0;
          own += isListed;
          shared += isListed && classes.get(batch, head, row + 1, column) > 0;
        }
        if (own > 0) {
          sum += static_cast<double>(shared) / static_cast<double>(own);
          ++pairs;
        }
      }
  return pairs > 0 ? std::optional(sum / static_cast<double>(pairs)) : std::nullopt;
}

Status statusOf(const reference::Verdict &verdict, const char *what) {
  if (verdict.passed)
    return {};
  return Status::make(Code::internal, "{} differs from the oracle: {}", what, verdict.reason);
}

} // namespace

TuneBench::TuneBench(const LoadedSpec &spec, const CallData &call, const ExecutorOptions &options, Direction direction,
                     std::vector<ScheduleRequest::Named> others, const tune::Space &space)
    : spec(spec), call(call), options(options), direction(direction), others(std::move(others)), space(space),
      executors(space.candidates.size()), works(space.candidates.size()) {
  this->options.schedules = {.deterministic = true};
  this->options.showProgress = false;
}

Result<std::unique_ptr<TuneBench>> TuneBench::open(const LoadedSpec &spec, const CallData &call,
                                                   const ExecutorOptions &options, Direction direction,
                                                   std::vector<ScheduleRequest::Named> others,
                                                   const tune::Space &space) {
  std::unique_ptr<TuneBench> bench(new TuneBench(spec, call, options, direction, std::move(others), space));
  TERCET_RETURN_IF_ERROR(bench->openParts());
  bench->makeSmallCall();
  return bench;
}

Status TuneBench::openParts() {
  TERCET_TRY(base, makeExecutor(spec, options));
  std::vector<std::string> names = spec.info.outputs();
  if (options.grad)
    for (const std::string &name : gradientsOf(spec, call))
      if (base->makesGradient(name))
        names.push_back(name);
  TERCET_TRY(outputs, makeOutputs(call, names));
  TERCET_TRY(parts, base->partsOf(call, outputs));
  for (CallPart &each : parts) {
    TERCET_TRY(LaunchReport report, each.executor->launch(each.call, each.outputs)); // what the backward takes
    if (&each == &parts.front())
      noteShape(report);
    if (each.direction == direction)
      part = &each;
  }
  TERCET_CHECK(part, "an executor has a part of the direction that it was made for");
  return {};
}

// Specs whose sizes hang together (grids of token orders, tables) may have no small call.
void TuneBench::makeSmallCall() {
  reference::Shape shape;
  shape.heads = call.sizes.headsQ / call.sizes.headsKV;
  shape.headsKV = 1;
  shape.tokensQ = std::min(smallTokens, call.sizes.tokensQ);
  shape.tokensK = std::min(smallTokens, call.sizes.tokensK);
  shape.headDim = call.sizes.headDim;
  shape.valueDim = call.sizes.valueDim;
  Result<CallData> made = makeInputs(
      spec, shape, {.seed = 1, .dtype = call.sizes.dtype, .scale = smallScale, .withGradient = options.grad});
  if (made.ok())
    smallCall = *std::move(made);
}

ExecutorOptions TuneBench::optionsWith(size_t candidate, bool wholeGradient) const {
  ExecutorOptions own = options;
  own.schedules.named = others;
  own.schedules.named.push_back({direction, space.kernel, space.candidates[candidate].text});
  own.schedules.deterministic = false; // every kernel that has a choice is named, so that no database is asked
  own.grad = wholeGradient && options.grad;
  own.direction = direction;
  return own;
}

Status TuneBench::prepare(size_t candidate) {
  TERCET_TRY(executors[candidate], makeExecutor(spec, optionsWith(candidate, false)));
  TERCET_TRY(LaunchReport report, launch(candidate)); // first touch of code and pages
  if (candidate == 0) {
    if (report.totalMs < fewestMs) { // how long a short one takes, the first launch does not tell
      TERCET_TRY(report, launch(candidate));
    }
    launchesPerSample = std::max<int64_t>(1, static_cast<int64_t>(std::ceil(fewestMs / report.totalMs)));
    for (const auto &[name, tensor] : part->outputs.arguments.tensors)
      if (direction == Direction::backward) {
        TERCET_TRY(compiler::StoredTensor copy, compiler::convertTensor(tensor, tensor.dtype));
        copy.origin = name;
        gradientsOfDefault.push_back(std::move(copy));
      }
  }
  return noteWork(candidate, report);
}

Result<LaunchReport> TuneBench::launch(size_t candidate) {
  return executors[candidate]->launch(part->call, part->outputs);
}

Result<tune::Measurement> TuneBench::measure(size_t candidate) {
  Status launched;
  std::vector<double> ms;
  auto run = [&] {
    for (int64_t i = 0; i < launchesPerSample && launched.ok(); ++i) {
      Result<LaunchReport> report = launch(candidate);
      launched = report.takeStatus();
      if (launched.ok())
        ms.push_back(report->totalMs);
    }
  };
  tune::Measurement measured;
  if (base->device())
    run();
  else
    measured.peak = rt::timeBracketed(run, {.threads = base->threads(), .milliseconds = probeMs}).peak();
  TERCET_RETURN_IF_ERROR(std::move(launched));
  measured.ms = tune::quantile(ms, 0.5);
  return measured;
}

double TuneBench::seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Status TuneBench::verify(size_t candidate) {
  if (smallCall)
    TERCET_RETURN_IF_ERROR(verifySmall(candidate));
  for (const auto &[name, tensor] : part->outputs.arguments.tensors) // what was left by others counts for nothing
    std::memset(tensor.data, 0xff, static_cast<size_t>(tensor.elements()) * dtypeSize(tensor.dtype));
  TERCET_RETURN_IF_ERROR(launch(candidate).takeStatus());
  if (direction == Direction::backward)
    return verifyGradient(candidate);
  Arguments got;
  for (const std::string &name : spec.info.outputs())
    if (const Tensor *output = part->outputs.arguments.find(name))
      got.tensors.emplace_back(name, *output);
  TERCET_TRY(reference::Verdict verdict,
             oracle.compare(spec, call, got,
                            {.rowLimit = oracleRows, .probabilities = base->device() ? call.sizes.dtype : DType::f32}));
  return statusOf(verdict, "the call that is tuned");
}

Status TuneBench::verifySmall(size_t candidate) {
  TERCET_TRY(std::unique_ptr<Executor> whole, makeExecutor(spec, optionsWith(candidate, true)));
  std::vector<std::string> names = spec.info.outputs();
  if (options.grad)
    for (const std::string &name : gradientsOf(spec, *smallCall))
      if (whole->makesGradient(name))
        names.push_back(name);
  TERCET_TRY(CallOutputs own, makeOutputs(*smallCall, names));
  TERCET_RETURN_IF_ERROR(whole->launch(*smallCall, own).takeStatus());
  TERCET_TRY(reference::Verdict verdict,
             oracle.compare(spec, *smallCall, own.arguments,
                            {.inputScale = smallScale,
                             .withGradient = direction == Direction::backward,
                             .probabilities = base->device() ? call.sizes.dtype : DType::f32}));
  return statusOf(verdict, "a small call");
}

// Both lie within the contract's bound of what is right, so within twice of it of each other.
Status TuneBench::verifyGradient(size_t candidate) {
  double bound = 2 * (call.sizes.dtype == DType::f32 ? 1e-5 : 1e-2);
  for (const compiler::StoredTensor &right : gradientsOfDefault) {
    double difference = relativeDifference(*part->outputs.arguments.find(right.origin), right.view);
    if (!(difference <= bound))
      return Status::make(Code::internal, "{} differs from the default schedule's: relative L2 {:.3g}, at most {:.3g}",
                          right.origin, difference, bound);
  }
  return {};
}

Status TuneBench::noteWork(size_t candidate, const LaunchReport &report) {
  tune::Work &work = works[candidate];
  for (const auto &[stage, flops] : report.stageFlops)
    work.flops += flops;
  const Executor &own = *executors[candidate];
  TERCET_TRY(rt::PlanEstimate estimate,
             rt::estimatePlan(*own.artifact(), *own.module(),
                              planArguments(own.artifact()->signature(), part->call, part->outputs),
                              {report.criticalBlocks, report.marginalBlocks, report.negligibleBlocks}, own.threads()));
  for (const rt::NodeEstimate &node : estimate.nodes)
    work.bytes += node.bytes;
  return {};
}

void TuneBench::noteShape(const LaunchReport &report) {
  const reference::CallSizes &sizes = call.sizes;
  known = {sizes.batch * sizes.headsQ, sizes.headsQ / sizes.headsKV, sizes.tokensQ, sizes.tokensK, 1, std::nullopt};
  int64_t all = report.criticalBlocks + report.marginalBlocks + report.negligibleBlocks;
  if (!spec.info.classifies() || all == 0)
    return;
  known.kept = static_cast<double>(report.criticalBlocks) / static_cast<double>(all);
  if (const Tensor *classes = outputs.arguments.find("classes"))
    known.overlap = overlapOf(*classes);
}

} // namespace tercet::cli
