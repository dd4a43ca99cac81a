// Dense runs twice: in pieces under a progress bar, then in one launch, as every other variant does.
#include "Comparison.h"

#include "Progress.h"

#include <algorithm>

namespace tercet::demo {
namespace {

using Parameters = std::vector<std::pair<std::string, double>>;
/// scale = 1: the features carry the bandwidth.
const Parameters denseParameters = {{"scale", 1.0}};
const Parameters keepParameters = {{"scale", 1.0}, {"keep", keptShare}};
const Parameters keepAndDropParameters = {{"scale", 1.0}, {"keep", keptShare}, {"drop", droppedShare}};

double median(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  size_t middle = samples.size() / 2;
  return samples.size() % 2 ? samples[middle] : (samples[middle - 1] + samples[middle]) / 2;
}

/// A kernel, how to call it, and what came of it.
struct Contender {
  SpecKernel kernel;
  LaunchInputs inputs;
  VariantResult result;

  Status run(const PatchTokens &tokens, std::vector<int8_t> *classes = nullptr) {
    LaunchReport report;
    TERCET_TRY(double ms, kernel.launch(tokens, inputs, {&result.values, classes}, &report));
    result.runsMs.push_back(ms);
    result.exactBlocks = report.criticalBlocks;
    return {};
  }
};

Result<Contender> prepare(Session &session, const std::string &name, const PatchTokens &tokens,
                          const Parameters &parameters) {
  std::map<std::string, std::string> settings;
  if (name != "dense")
    settings["diagonal"] = "true";
  TERCET_TRY(SpecKernel kernel, SpecKernel::compile(session, name, std::move(settings)));
  Contender contender{std::move(kernel), {.parameters = parameters}, {}};
  const int64_t blocks = tokens.count / blockTokens;
  contender.result.name = name;
  contender.result.compile = contender.kernel.compileReport();
  contender.result.allBlocks = blocks * blocks;
  contender.result.values.resize(tokens.v.size());
  return contender;
}

/// A launch is one call and says nothing until it returns: pieces of query tokens are what a bar can count.
Result<double> runInPieces(Contender &dense, const PatchTokens &tokens) {
  constexpr int64_t pieces = 32;
  const int64_t step = (tokens.count / blockTokens + pieces - 1) / pieces * blockTokens;
  cli::Progress progress("dense attention", tokens.count);
  double ms = 0;
  for (int64_t first = 0; first < tokens.count; first += step) {
    LaunchInputs inputs = dense.inputs;
    inputs.firstQuery = first;
    inputs.queries = std::min(step, tokens.count - first);
    TERCET_TRY(double pieceMs, dense.kernel.launch(tokens, inputs, {&dense.result.values}));
    ms += pieceMs;
    progress.advance(inputs.queries);
  }
  return ms;
}

std::vector<float> difference(const std::vector<float> &left, const std::vector<float> &right) {
  std::vector<float> result(left.size());
  std::transform(left.begin(), left.end(), right.begin(), result.begin(), std::minus<>());
  return result;
}

} // namespace

const VariantResult &Comparison::find(const std::string &name) const {
  auto found =
      std::find_if(variants.begin(), variants.end(), [&](const auto &variant) { return variant.name == name; });
  TERCET_CHECK(found != variants.end(), "a variant of this comparison");
  return *found;
}

Result<Comparison> compareVariants(Session &session, const PatchTokens &tokens, const Photo &clean, int64_t runs) {
  TERCET_TRY(Contender dense, prepare(session, "dense", tokens, denseParameters));
  TERCET_TRY(Contender topk, prepare(session, "sparse_topk", tokens, keepParameters));
  TERCET_TRY(Contender means, prepare(session, "block_mean", tokens, keepParameters));
  TERCET_TRY(Contender sla, prepare(session, "sla", tokens, keepAndDropParameters));

  Comparison comparison;
  TERCET_TRY(comparison.denseInPiecesMs, runInPieces(dense, tokens));
  TERCET_RETURN_IF_ERROR(dense.run(tokens));
  dense.result.exactBlocks = dense.result.allBlocks;

  // First launches: they warm the workspaces, and the two branches apart give the projection.
  const Projection identity = Projection::identity(channels);
  sla.inputs.projection = &identity;
  TERCET_RETURN_IF_ERROR(topk.run(tokens));
  TERCET_RETURN_IF_ERROR(means.run(tokens));
  TERCET_RETURN_IF_ERROR(sla.run(tokens, &comparison.classes));
  comparison.classRows = tokens.count / blockTokens;
  comparison.target = dense.kernel.target();
  TERCET_TRY(comparison.projection, fitProjection(difference(sla.result.values, topk.result.values),
                                                  difference(dense.result.values, topk.result.values), channels));
  sla.inputs.projection = &comparison.projection;

  for (Contender *contender : {&topk, &means, &sla})
    contender->result.runsMs.clear();
  for (int64_t run = 0; run < runs; ++run)
    for (Contender *contender : {&topk, &means, &sla})
      TERCET_RETURN_IF_ERROR(contender->run(tokens));

  for (Contender *contender : {&dense, &topk, &means, &sla}) {
    VariantResult &result = contender->result;
    result.ms = median(result.runsMs);
    result.psnr = psnr(photoFromTokens(result.values, clean.width, clean.height), clean);
    result.errorAgainstDense = relativeError(result.values, dense.result.values);
  }
  for (Contender *contender : {&dense, &topk, &means, &sla})
    comparison.variants.push_back(std::move(contender->result));
  return comparison;
}

} // namespace tercet::demo
