// Comparison: one noisy photo, denoised by dense attention and by what stands in for it at a twentieth of the blocks.
#pragma once

#include "PatchTokens.h"
#include "SpecKernel.h"

#include "tercet/Session.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tercet::demo {

/// The standard deviation of the noise, of a full range of 1: PSNR 20 dB.
constexpr double noiseSigma = 0.1;
/// h^2 of the weights (PatchTokens.h), as a multiple of the noise's variance. Two noisy views of one patch lie
/// 2 * 63 * sigma^2 apart; 24 sigma^2 was chosen by the PSNR of dense attention on 12 sampled query blocks of
/// docs/images/cat.png, not on all of them. No sparse variant had a say in it.
constexpr double bandwidthInVariances = 24;
/// Kept and dropped shares of key blocks, the paper's. Every sparse variant keeps the same blocks, and besides them the
/// block of the query tile itself (diagonal = true): mean features may rank it low, and it helps all of them.
constexpr double keptShare = 0.05, droppedShare = 0.10;

struct VariantResult {
  std::string name;
  std::vector<double> runsMs; ///< every timed launch
  double ms = 0;              ///< their median
  int64_t exactBlocks = 0, allBlocks = 0;
  double psnr = 0;              ///< against the clean photo, dB
  double errorAgainstDense = 0; ///< relative, Euclidean norm
  CompileReport compile;
  std::vector<float> values; ///< [tokens, channels]

  double exactShare() const { return static_cast<double>(exactBlocks) / static_cast<double>(allBlocks); }
};

struct Comparison {
  std::vector<VariantResult> variants; ///< dense first
  double denseInPiecesMs = 0;          ///< dense again, in launches of a few query tokens each
  Projection projection;               ///< of sla
  std::vector<int8_t> classes;         ///< of sla, [query blocks, key blocks]
  int64_t classRows = 0;
  std::string target; ///< instruction set of the kernels

  const VariantResult &find(const std::string &name) const;
};

/// Compiles and runs dense, sparse_topk, block_mean and sla. runs: timed launches of each but dense, >= 1; the variants
/// take turns, so that a disturbance hits all of them. sla's W and b are fitted to this photo: O_s is sparse_topk's
/// output (same keep, hence the same critical blocks), O_l what sla with W = 1, b = 0 adds to it, and the target what
/// dense has over O_s. Shows a bar on standard error while dense runs. Errors as compile and launch.
Result<Comparison> compareVariants(Session &session, const PatchTokens &tokens, const Photo &clean, int64_t runs);

} // namespace tercet::demo
