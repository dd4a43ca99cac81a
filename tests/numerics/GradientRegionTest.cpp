// Gradients under masks and through score regions: forbidden pairs take no part, and dS is multiplied by the derivative of the
// score region.
#include "GradientRun.h"

using namespace tercet;
using namespace tercet::test;

namespace {

/// Several row tiles and super rows, tails on both sides, heads in groups.
constexpr int64_t queries = 290, keys = 330;

Case caseOf(const char *spec, DType dtype) {
  return {.name = "regions",
          .spec = spec,
          .shape = {.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = queries, .tokensK = keys, .headDim = 24},
          .dtype = dtype};
}

/// amend: completes what plain loops need to know, from the inputs.
template <typename Amend> void checkRegions(const Case &entry, Amend amend) {
  GradientRun run(entry);
  for (const std::string &target : cpuTargets()) {
    INFO(target << " " << entry.spec << " " << entry.describe());
    Gradients got = run.run(target, 2);
    NaiveAttention naive = run.naive();
    amend(naive, run);
    checkGradients(got, naiveGradients(naive), entry.dtype);
  }
}

template <typename Amend> void checkRegions(const char *spec, Amend amend) {
  for (DType dtype : {DType::f32, DType::bf16})
    for (double scale : {1.0, 4.0}) {
      Case entry = caseOf(spec, dtype);
      entry.scale = scale;
      checkRegions(entry, amend);
    }
}

using Score = std::pair<double, double>;

} // namespace

TEST_CASE("gradients under causal masks", "[gradient]") {
  for (const char *ends : {"false", "true"}) {
    Case entry = caseOf("causal", DType::f32);
    entry.settings = {{"align_ends", ends}};
    int64_t offset = ends == std::string("true") ? keys - queries : 0;
    checkRegions(entry, [&](NaiveAttention &naive, const GradientRun &) {
      naive.allowed = [offset](int64_t, int64_t, int64_t i, int64_t j) { return j <= i + offset; };
    });
    std::swap(entry.shape.tokensQ, entry.shape.tokensK); // aligned at the ends, the first rows have no key
    checkRegions(entry, [&](NaiveAttention &naive, const GradientRun &) {
      naive.allowed = [offset](int64_t, int64_t, int64_t i, int64_t j) { return j <= i - offset; };
    });
  }
}

TEST_CASE("gradients under a window, with lengths and poison behind them", "[gradient]") {
  Case entry = caseOf("window", DType::f32);
  entry.parameters = {{"left", 20}, {"right", 3}};
  entry.queryLengths = {queries, 70};
  entry.keyLengths = {100, keys};
  entry.poison = true;
  checkRegions(entry, [](NaiveAttention &naive, const GradientRun &) {
    naive.allowed = [](int64_t, int64_t, int64_t i, int64_t j) { return j >= i - 20 && j <= i + 3; };
  });
}

TEST_CASE("gradients through bounded scores", "[gradient]") {
  checkRegions("softcap", [](NaiveAttention &naive, const GradientRun &) {
    naive.allowed = [](int64_t, int64_t, int64_t i, int64_t j) { return j <= i; };
    naive.score = [](double s, int64_t, int64_t, int64_t, int64_t) {
      double t = std::tanh(s / 50);
      return Score{50 * t, 1 - t * t};
    };
  });
}

TEST_CASE("gradients through scores scaled by tables", "[gradient]") {
  checkRegions("scaled_scores", [](NaiveAttention &naive, const GradientRun &run) {
    naive.score = [gate = run["gate"], shift = run["shift"]](double s, int64_t b, int64_t h, int64_t i, int64_t j) {
      double factor = gate.get(b, h / 2, j), t = std::tanh((s * factor + shift.get(b, h, i)) / 3);
      return Score{3 * t, factor * (1 - t * t)};
    };
  });
}

TEST_CASE("gradients of a pattern under a mask and a bias", "[gradient]") {
  for (const char *block : {"16", "64"})
    for (DType dtype : {DType::f32, DType::bf16}) {
      Case entry = caseOf("document_bands", dtype);
      entry.settings = {{"block", block}};
      entry.shape.tokensQ = keys; // documents are of positions
      checkRegions(entry, [](NaiveAttention &naive, const GradientRun &run) {
        Tensor segment = run["segment"], slopes = run["slopes"];
        naive.allowed = [inBand = naive.allowed, segment](int64_t b, int64_t h, int64_t i, int64_t j) {
          return inBand(b, h, i, j) && segment.get(b, i) == segment.get(b, j);
        };
        naive.score = [slopes](double s, int64_t, int64_t h, int64_t i, int64_t j) {
          return Score{s + slopes.get(h) * static_cast<double>(j - i), 1};
        };
      });
    }
}

TEST_CASE("gradients under a causal selection, whose table the backward does not take", "[gradient]") {
  for (DType dtype : {DType::f32, DType::f16}) {
    Case entry = caseOf("seerattention", dtype);
    entry.settings = {{"block_q", "32"}, {"block_k", "48"}};
    entry.parameters = {{"threshold", 0.1}};
    entry.queryLengths = {queries, 150};
    entry.keyLengths = {200, keys};
    checkRegions(entry, [](NaiveAttention &naive, const GradientRun &) {
      naive.allowed = [listed = naive.allowed](int64_t b, int64_t h, int64_t i, int64_t j) {
        return j <= i && listed(b, h, i, j);
      };
    });
  }
}
