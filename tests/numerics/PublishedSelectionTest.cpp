// Selection rules of published systems, written from the papers over plain arrays: which blocks are exact.
#include "RunSpec.h"
#include "support/CoverageRecord.h"

#include <algorithm>
#include <numeric>

using namespace tercet;
using namespace tercet::test;

namespace {

constexpr int64_t block = 16;
const std::map<std::string, std::string> blocks16 = {{"block_q", "16"}, {"block_k", "16"}};

struct Call {
  reference::Data data;
  int64_t heads, rowsQ, rowsK, dim, blocksQ, blocksK;
  double q(int64_t h, int64_t i, int64_t c) const { return data["q"].get(0, h, i, c); }
  double k(int64_t h, int64_t j, int64_t c) const { return data["k"].get(0, h, j, c); }
};

Call makeCall(const std::string &spec, std::map<std::string, std::string> settings, int64_t tokensQ, int64_t tokensK) {
  reference::Shape shape{.batch = 1, .heads = 2, .tokensQ = tokensQ, .tokensK = tokensK, .headDim = 24};
  reference::DataOptions options{.seed = 11, .scale = 2, .structure = 0.8};
  reference::Data data = reference::makeData(programOf(specNamed(spec, std::move(settings))), shape, options);
  return {std::move(data), 2, tokensQ, tokensK, 24, (tokensQ + block - 1) / block, (tokensK + block - 1) / block};
}

using Grid = std::vector<std::vector<double>>;

std::vector<double> softmaxOf(std::vector<double> x) {
  double sum = 0;
  for (double &value : x)
    sum += value = std::exp(value);
  for (double &value : x)
    value /= sum;
  return x;
}

/// q mean . k mean / sqrt d for every pair of blocks of one head.
Grid pooledScores(const Call &call, int64_t h) {
  Grid scores(call.blocksQ, std::vector<double>(call.blocksK));
  for (int64_t bi = 0; bi < call.blocksQ; ++bi)
    for (int64_t bj = 0; bj < call.blocksK; ++bj)
      for (int64_t c = 0; c < call.dim; ++c) {
        int64_t endQ = std::min((bi + 1) * block, call.rowsQ), endK = std::min((bj + 1) * block, call.rowsK);
        double meanQ = 0, meanK = 0;
        for (int64_t i = bi * block; i < endQ; ++i)
          meanQ += call.q(h, i, c) / double(endQ - bi * block);
        for (int64_t j = bj * block; j < endK; ++j)
          meanK += call.k(h, j, c) / double(endK - bj * block);
        scores[bi][bj] += meanQ * meanK / std::sqrt(double(call.dim));
      }
  return scores;
}

/// The fewest of `candidates`, best first, that bring `held` up to `mass`.
std::vector<size_t> fewest(const std::vector<double> &p, std::vector<size_t> candidates, double mass, double held) {
  std::stable_sort(candidates.begin(), candidates.end(), [&](size_t a, size_t b) { return p[a] > p[b]; });
  size_t count = 0;
  while (count < candidates.size() && held < mass - 1e-9)
    held += p[candidates[count++]];
  candidates.resize(count);
  return candidates;
}

/// The mean cosine over all pairs of a block's tokens.
double likeness(const Tensor &tokens, int64_t h, int64_t first, int64_t end) {
  double sum = 0;
  for (int64_t a = first; a < end; ++a)
    for (int64_t b = first; b < end; ++b) {
      double dot = 0, normA = 0, normB = 0;
      for (int64_t c = 0; c < tokens.shape[3]; ++c) {
        double x = tokens.get(0, h, a, c), y = tokens.get(0, h, b, c);
        dot += x * y, normA += x * x, normB += y * y;
      }
      sum += dot / std::sqrt(normA * normB);
    }
  return sum / double((end - first) * (end - first));
}

/// Whether block (h, bi, bj) is exact.
using Exact = std::function<bool(int64_t h, int64_t bi, int64_t bj)>;

void check(const std::string &system, const std::string &spec, const std::map<std::string, std::string> &settings,
           std::vector<std::pair<std::string, double>> parameters, const Call &call, const Exact &isExact) {
  Arguments arguments = call.data.arguments();
  arguments.parameters = std::move(parameters);
  for (Backend *backend : backends()) {
    INFO(system << ": " << spec << " on " << backend->name());
    Ran ran = runSpec(*backend, specNamed(spec, settings), arguments);
    int64_t wrong = 0, exact = 0;
    size_t index = 0;
    for (int64_t h = 0; h < call.heads; ++h)
      for (int64_t bi = 0; bi < call.blocksQ; ++bi)
        for (int64_t bj = 0; bj < call.blocksK; ++bj) {
          bool got = ran.classes[index++] == 1;
          wrong += got != isExact(h, bi, bj);
          exact += got;
        }
    CHECK(wrong == 0);
    CHECK(exact > 0);
    CHECK(exact < static_cast<int64_t>(index));
    if (wrong == 0)
      recordCoverage({system, spec, "forward", backend->name(), "numerics/PublishedSelectionTest"});
  }
}

} // namespace

TEST_CASE("spargeattn keeps unlike blocks and the fewest that hold the mass", "[published]") {
  Call call = makeCall("spargeattn", blocks16, 120, 200);
  const double theta = 0.62, mass = 0.7;
  std::vector<std::vector<std::vector<bool>>> exact(2);
  for (int64_t h = 0; h < 2; ++h) {
    Grid scores = pooledScores(call, h);
    for (int64_t bi = 0; bi < call.blocksQ; ++bi) {
      std::vector<double> p = softmaxOf(scores[bi]);
      bool unlikeRow = likeness(call.data["q"], h, bi * block, std::min((bi + 1) * block, call.rowsQ)) < theta;
      std::vector<bool> row(call.blocksK, unlikeRow);
      std::vector<size_t> candidates;
      for (int64_t bj = 0; bj < call.blocksK; ++bj) {
        if (likeness(call.data["k"], h, bj * block, std::min((bj + 1) * block, call.rowsK)) < theta)
          row[bj] = true;
        if (!row[bj])
          candidates.push_back(size_t(bj));
      }
      auto kept = fewest(p, candidates, mass, 0);
      if (kept.empty() && !candidates.empty())
        kept = fewest(p, candidates, 1e-6, 0); // at least one
      for (size_t bj : kept)
        row[bj] = true;
      exact[h].push_back(row);
    }
  }
  check("SpargeAttn (without quantisation)", "spargeattn", blocks16, {{"theta", theta}, {"mass", mass}}, call,
        [&](int64_t h, int64_t bi, int64_t bj) { return bool(exact[h][bi][bj]); });
}

TEST_CASE("xattention sums anti-diagonals and counts what is forced", "[published]") {
  const int64_t stride = 4;
  std::map<std::string, std::string> settings = blocks16;
  settings["stride"] = "4";
  Call call = makeCall("xattention", settings, 160, 160);
  Grid exact[2];
  for (int64_t h = 0; h < 2; ++h)
    for (int64_t bi = 0; bi < call.blocksQ; ++bi) {
      std::vector<double> shares(call.blocksK, 0.0);
      for (int64_t r = bi * block / stride; r < (bi + 1) * block / stride; ++r) {
        std::vector<double> row;
        for (int64_t c = 0; c < call.rowsK / stride; ++c) {
          double sum = 0;
          for (int64_t t = 0; t < stride; ++t)
            for (int64_t x = 0; x < call.dim; ++x)
              sum += call.q(h, r * stride + stride - 1 - t, x) * call.k(h, c * stride + t, x);
          row.push_back(sum / (std::sqrt(double(call.dim)) * double(stride)));
        }
        row = softmaxOf(row);
        for (size_t c = 0; c < row.size(); ++c)
          shares[c * stride / block] += row[c] * double(stride) / double(block);
      }
      std::vector<double> row(call.blocksK, 0.0);
      std::vector<size_t> candidates;
      double held = 0;
      for (int64_t bj = 0; bj <= bi; ++bj) {
        if (bj == 0 || bj == bi)
          row[bj] = 1, held += shares[bj];
        else
          candidates.push_back(size_t(bj));
      }
      for (size_t bj : fewest(shares, candidates, 0.6, held))
        row[bj] = 1;
      exact[h].push_back(row);
    }
  check("XAttention", "xattention", settings, {{"mass", 0.6}}, call,
        [&](int64_t h, int64_t bi, int64_t bj) { return exact[h][bi][bj] > 0; });
}

TEST_CASE("draftattention has one threshold per head", "[published]") {
  Call call = makeCall("draftattention", blocks16, 120, 200);
  for (double sparsity : {0.9, 0.5}) {
    std::vector<double> cuts;
    Grid scores[2] = {pooledScores(call, 0), pooledScores(call, 1)};
    for (const Grid &grid : scores) {
      std::vector<double> flat;
      for (const auto &row : grid)
        flat.insert(flat.end(), row.begin(), row.end());
      std::sort(flat.begin(), flat.end());
      cuts.push_back(flat[size_t(std::ceil(sparsity * double(flat.size()) - 1e-9)) - 1]);
    }
    check("DraftAttention", "draftattention", blocks16, {{"threshold", sparsity}}, call,
          [&](int64_t h, int64_t bi, int64_t bj) { return scores[h][bi][bj] >= cuts[size_t(h)]; });
  }
}

TEST_CASE("seerattention keeps what the gate's softmax puts above a threshold", "[published]") {
  Call call = makeCall("seerattention", blocks16, 150, 150);
  Grid exact[2];
  for (int64_t h = 0; h < 2; ++h)
    for (int64_t bi = 0; bi < call.blocksQ; ++bi) {
      std::vector<double> gate;
      for (int64_t bj = 0; bj <= bi; ++bj)
        gate.push_back(call.data["gate"].get(0, h, bi, bj));
      gate = softmaxOf(gate);
      std::vector<double> row(call.blocksK, 0.0);
      for (int64_t bj = 0; bj <= bi; ++bj)
        row[bj] = bj == bi || bi >= call.blocksQ - 2 || gate[bj] >= 0.15;
      exact[h].push_back(row);
    }
  check("SeerAttention (given gate scores)", "seerattention", blocks16, {{"threshold", 0.15}}, call,
        [&](int64_t h, int64_t bi, int64_t bj) { return exact[h][bi][bj] > 0; });
}

TEST_CASE("mra2 ranks the blocks of a whole head", "[published]") {
  Call call = makeCall("mra2", blocks16, 160, 160);
  const double keep = 0.25;
  std::vector<bool> exact[2];
  for (int64_t h = 0; h < 2; ++h) {
    Grid scores = pooledScores(call, h);
    size_t count = size_t(call.blocksQ * call.blocksK);
    exact[h].assign(count, false);
    std::vector<size_t> others;
    for (size_t at = 0; at < count; ++at) {
      if (at / call.blocksK == at % call.blocksK)
        exact[h][at] = true;
      else
        others.push_back(at);
    }
    auto scoreAt = [&](size_t at) { return scores[at / call.blocksK][at % call.blocksK]; };
    std::stable_sort(others.begin(), others.end(), [&](size_t a, size_t b) { return scoreAt(a) > scoreAt(b); });
    size_t kept = size_t(keep * double(count) + 1e-6) - size_t(call.blocksQ);
    for (size_t index = 0; index < kept; ++index)
      exact[h][others[index]] = true;
  }
  check("MRA-2", "mra2", blocks16, {{"keep", keep}}, call,
        [&](int64_t h, int64_t bi, int64_t bj) { return bool(exact[h][size_t(bi * call.blocksK + bj)]); });
}
