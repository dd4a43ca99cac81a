// The table is Markdown, so that documents can quote it as it is printed.
#include "Report.h"

#include <algorithm>

namespace tercet::demo {
namespace {

std::string compileSentence(const Comparison &comparison) {
  double ms = 0;
  int64_t hits = 0;
  for (const VariantResult &variant : comparison.variants) {
    ms += variant.compile.compileMs;
    hits += variant.compile.cache == "hit";
  }
  int64_t compiled = static_cast<int64_t>(comparison.variants.size()) - hits;
  return fmt::format("Specs compiled: {} in {:.0f} ms; taken from the cache: {}.\n", compiled, ms, hits);
}

} // namespace

std::string tableText(const Comparison &comparison, const Circumstances &circumstances) {
  const VariantResult &dense = comparison.find("dense");
  std::string text =
      fmt::format("{} tokens, d = {}, dv = {}, f32, {} x {} blocks, {} with {} thread{}; noisy photo: {:.2f} dB\n\n",
                  circumstances.tokens, headDim, channels, blockTokens, blockTokens, circumstances.target,
                  circumstances.threads, circumstances.threads == 1 ? "" : "s", circumstances.noisyPsnr);
  text += "| variant     | time ms | speed-up | exact blocks | PSNR dB | error against dense |\n";
  text += "|-------------|--------:|---------:|-------------:|--------:|--------------------:|\n";
  for (const VariantResult &variant : comparison.variants)
    text += fmt::format("| {:<11} | {:>7.0f} | {:>6.1f} x | {:>10.1f} % | {:>7.2f} | {:>19} |\n", variant.name,
                        variant.ms, dense.ms / variant.ms, 100 * variant.exactShare(), variant.psnr,
                        &variant == &dense ? "" : fmt::format("{:.1f} %", 100 * variant.errorAgainstDense));
  return text + "\n" + compileSentence(comparison);
}

cli::Json comparisonJson(const Comparison &comparison, const Circumstances &circumstances,
                         const std::vector<std::string> &files) {
  const VariantResult &dense = comparison.find("dense");
  cli::Json variants = cli::Json::array();
  for (const VariantResult &variant : comparison.variants)
    variants.push_back({{"name", variant.name},
                        {"ms", variant.ms},
                        {"runs_ms", variant.runsMs},
                        {"speedup_vs_dense", dense.ms / variant.ms},
                        {"exact_blocks", variant.exactBlocks},
                        {"all_blocks", variant.allBlocks},
                        {"exact_share", variant.exactShare()},
                        {"psnr_db", variant.psnr},
                        {"relative_error_vs_dense", variant.errorAgainstDense},
                        {"compile_ms", variant.compile.compileMs},
                        {"cache", variant.compile.cache}});
  return {{"image", circumstances.image},
          {"tokens", circumstances.tokens},
          {"head_dim", headDim},
          {"value_dim", channels},
          {"block", blockTokens},
          {"keep", keptShare},
          {"drop", droppedShare},
          {"noise_sigma", noiseSigma},
          {"bandwidth", bandwidthInVariances * noiseSigma * noiseSigma},
          {"seed", circumstances.seed},
          {"target", circumstances.target},
          {"threads", circumstances.threads},
          {"noisy_psnr_db", circumstances.noisyPsnr},
          {"dense_in_pieces_ms", comparison.denseInPiecesMs},
          {"variants", std::move(variants)},
          {"sla_projection", {{"w", comparison.projection.weight}, {"b", comparison.projection.bias}}},
          {"files", files}};
}

} // namespace tercet::demo
