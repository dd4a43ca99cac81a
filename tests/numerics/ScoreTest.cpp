// Scores of blocks: centred keys, guards, anti-diagonals and pools, against sums written out here.
#include "RunSpec.h"

using namespace tercet;
using namespace tercet::reference;
using namespace tercet::test;

namespace {

using Rows = std::vector<std::vector<double>>;

Spec scoredSpec(const std::string &scores, const std::string &keep, const std::string &parameters = "") {
  return {.text = fmt::format(R"(tercet.spec @scored(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {{
    %block = tercet.param block = 16 : !tercet.static<i64>
    %keep = tercet.param keep = 0.3 : !tercet.runtime<f64>
    %scale = tercet.param scale = 0.4 : !tercet.runtime<f64>
    {}
    %scores = {}
    %classes = tercet.select %scores keep {}
    tercet.skip %classes[marginal]
    %o = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale)
    tercet.return %o
  }})",
                              parameters, scores, keep)};
}

struct Call {
  Program program;
  Data data;
  int64_t lengthQ = 70, lengthK = 86;

  explicit Call(const Spec &spec, double structure = 0) : program(programOf(spec)) {
    Shape shape{.heads = 4, .headsKV = 2, .tokensQ = 75, .tokensK = 101, .headDim = 5};
    data = makeData(program, shape, {.seed = 11, .structure = structure});
    for (auto [name, length] : {std::pair{"q_len", lengthQ}, {"k_len", lengthK}}) {
      data.tensors.emplace_back(name, OwnedTensor::make(DType::i32, {1}));
      data.tensors.back().second.view().set(double(length), 0);
    }
  }

  ClassMap classes() const {
    auto map = selectClasses(program, data.arguments());
    INFO(map.status().message());
    REQUIRE(map.ok());
    return *std::move(map);
  }

  /// The valid tokens of a head.
  Rows tokens(const char *name, int64_t head) const {
    Rows rows;
    for (int64_t t = 0; t < (name[0] == 'q' ? lengthQ : lengthK); ++t) {
      rows.emplace_back();
      for (int64_t c = 0; c < 5; ++c)
        rows.back().push_back(data[name].get(0, head, t, c));
    }
    return rows;
  }
};

double dot(const std::vector<double> &a, const std::vector<double> &b) {
  double sum = 0;
  for (size_t c = 0; c < a.size(); ++c)
    sum += a[c] * b[c];
  return sum;
}

std::vector<double> meanOf(const Rows &rows, size_t first, size_t end) {
  std::vector<double> mean(5);
  end = std::min(end, rows.size());
  for (size_t t = first; t < end; ++t)
    for (size_t c = 0; c < 5; ++c)
      mean[c] += rows[t][c] / double(end - first);
  return mean;
}

Rows centred(Rows rows) {
  std::vector<double> mean = meanOf(rows, 0, rows.size());
  for (std::vector<double> &row : rows)
    for (size_t c = 0; c < 5; ++c)
      row[c] -= mean[c];
  return rows;
}

/// The mean cosine over all pairs of tokens of a block.
double likeness(const Rows &rows, size_t first) {
  size_t end = std::min(first + 16, rows.size());
  double sum = 0;
  for (size_t a = first; a < end; ++a)
    for (size_t b = first; b < end; ++b)
      sum += dot(rows[a], rows[b]) / std::sqrt(dot(rows[a], rows[a]) * dot(rows[b], rows[b]));
  return sum / double((end - first) * (end - first));
}

} // namespace

TEST_CASE("shares of pooled scores know the scale of the softmax, and centring changes none", "[scores]") {
  Call plain(scoredSpec("tercet.pooled_scores %q, %k blocks(%block, %block)", "above(%keep)"));
  ClassMap classes = plain.classes();
  for (int64_t h = 0; h < 4; ++h)
    for (int64_t i = 0; i < 5; ++i) {
      std::vector<double> weights;
      double sum = 0, most = 0;
      for (int64_t j = 0; j < 6; ++j) {
        double score = 0.4 * dot(meanOf(plain.tokens("q", h), i * 16, i * 16 + 16),
                                 meanOf(plain.tokens("k", h / 2), j * 16, j * 16 + 16));
        weights.push_back(std::exp(score));
        sum += weights[j];
        most = std::max(most, weights[j]);
      }
      for (int64_t j = 0; j < 6; ++j)
        CHECK(int(classes.at(0, h, i, j)) == (weights[j] / sum >= std::min(0.3, most / sum)));
      CHECK(int(classes.at(0, h, i, 6)) == -1);
    }
  Call centre(scoredSpec("tercet.pooled_scores %q, %k blocks(%block, %block) center(%on)", "above(%keep)",
                         "%on = tercet.param on = true : !tercet.static<flag>"));
  CHECK(centre.classes().values == classes.values);
}

TEST_CASE("a guard forces rows and columns of blocks whose tokens differ", "[scores]") {
  for (bool isCentred : {false, true}) {
    std::string centre = isCentred ? " center(%on)" : "", on = "%on = tercet.param on = true : !tercet.static<flag>\n";
    Call call(scoredSpec("tercet.pooled_scores %q, %k blocks(%block, %block)" + centre + " guard(%guard)",
                         "top_count(%none)",
                         (isCentred ? on : "") + "%guard = tercet.param guard = 0.2 : !tercet.runtime<f64>\n" +
                             "%none = tercet.param none = 0.0 : !tercet.runtime<f64>"),
              0.55);
    ClassMap classes = call.classes();
    int forced = 0, free = 0;
    for (int64_t h = 0; h < 4; ++h) {
      Rows q = call.tokens("q", h), k = call.tokens("k", h / 2);
      if (isCentred)
        k = centred(k);
      for (int64_t i = 0; i < 5; ++i)
        for (int64_t j = 0; j < 6; ++j) {
          bool differs = likeness(q, i * 16) < 0.2 || likeness(k, j * 16) < 0.2;
          CHECK(int(classes.at(0, h, i, j)) == differs);
          ++(differs ? forced : free);
        }
    }
    CHECK(forced > 5);
    CHECK(free > 5);
  }
}

TEST_CASE("sampled scores are mean shares of anti-diagonals", "[scores]") {
  for (int64_t stride : {2, 8, 16}) {
    Call call(scoredSpec("tercet.sampled_scores %q, %k blocks(%block, %block) stride(%stride)", "above(%keep)",
                         fmt::format("%stride = tercet.param stride = {} : !tercet.static<i64>", stride)));
    ClassMap classes = call.classes();
    for (int64_t h = 0; h < 4; ++h) {
      Rows q = call.tokens("q", h), k = call.tokens("k", h / 2);
      auto size = [&](const Rows &rows) { return (int64_t(rows.size()) + stride - 1) / stride; };
      std::vector<std::vector<double>> shares(5, std::vector<double>(6));
      for (int64_t r = 0; r < size(q); ++r) {
        std::vector<double> weights;
        double sum = 0;
        for (int64_t c = 0; c < size(k); ++c) {
          double product = 0;
          for (int64_t row = r * stride; row < std::min<int64_t>((r + 1) * stride, call.lengthQ); ++row)
            if (int64_t key = c * stride + stride - 1 - row % stride; key < call.lengthK)
              product += dot(q[row], k[key]);
          weights.push_back(std::exp(0.4 / double(stride) * product));
          sum += weights[c];
        }
        int64_t i = r * stride / 16, groups = std::min<int64_t>(16 / stride, size(q) - i * 16 / stride);
        for (int64_t c = 0; c < size(k); ++c)
          shares[i][c * stride / 16] += weights[c] / sum / double(groups);
      }
      for (int64_t i = 0; i < 5; ++i)
        for (int64_t j = 0; j < 6; ++j) {
          double most = *std::max_element(shares[i].begin(), shares[i].end());
          INFO("stride " << stride << " at " << h << " " << i << " " << j << ": " << shares[i][j]);
          CHECK(int(classes.at(0, h, i, j)) == (shares[i][j] >= std::min(0.3, most)));
        }
    }
  }
}

TEST_CASE("sampled shares of a row add up to one over the blocks that a mask leaves", "[scores]") {
  Spec spec{.text = R"(tercet.spec @causal(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
    %block = tercet.param block = 16 : !tercet.static<i64>
    %stride = tercet.param stride = 4 : !tercet.static<i64>
    %mass = tercet.param mass = 0.999999 : !tercet.runtime<f64>
    %past = tercet.mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %allowed = arith.cmpi sle, %j, %i : index
      tercet.yield %allowed : i1
    }
    %scores = tercet.sampled_scores %q, %k blocks(%block, %block) stride(%stride)
    %classes = tercet.select %scores keep above(%mass) mask(%past)
    tercet.skip %classes[marginal]
    %o = tercet.sparse %q, %k, %v on %classes[critical] mask(%past)
    tercet.return %o
  })"};
  // Keys of block 0 weigh e^80 as much as those of block 1, and those of blocks 2 and 3 as much again.
  Program program = programOf(spec);
  Data data = makeData(program, {.tokensQ = 48, .tokensK = 64, .headDim = 4}, {.seed = 2});
  for (int64_t t = 0; t < 64; ++t)
    for (int64_t c = 0; c < 4; ++c) {
      data["k"].set(t < 16 ? 0 : t < 32 ? -40 : 40, 0, 0, t, c);
      if (t < 48)
        data["q"].set(1, 0, 0, t, c);
    }
  program.selection->minKeep.value = 0;
  auto map = selectClasses(program, data.arguments());
  REQUIRE(map.ok());
  // For row 1 the blocks that weigh most are empty; row 2 has one of them as its own, partial block.
  CHECK(map->values == std::vector<int8_t>{1, -1, -1, -1, 1, 1, -1, -1, 0, 0, 1, -1});
}

TEST_CASE("compressed scores are mean shares of pools, shared out over their tokens", "[scores]") {
  for (auto [length, stride] : {std::pair{16, 16}, {24, 8}, {7, 3}}) {
    Call call(scoredSpec(
                  R"(tercet.compressed_scores %q, %k blocks(%block, %block) pool(%length, %stride) scale(%scale) where {
    ^bb0(%b: index, %h: index, %i: index, %c: index):
      %half = arith.constant 2 : index
      %odd = arith.addi %i, %c : index
      %rest = arith.remsi %odd, %half : index
      %zero = arith.constant 0 : index
      %even = arith.cmpi eq, %rest, %zero : index
      tercet.yield %even : i1
    })",
                  "above(%keep)",
                  fmt::format("%length = tercet.param length = {} : !tercet.static<i64>\n"
                              "%stride = tercet.param stride = {} : !tercet.static<i64>",
                              length, stride)),
              0.5);
    const double bound = call.program.selection->keep.value = 0.18;
    ClassMap classes = call.classes();
    int kept = 0;
    for (int64_t h = 0; h < 4; ++h) {
      Rows q = call.tokens("q", h), k = call.tokens("k", h / 2);
      std::vector<std::vector<double>> shares(5, std::vector<double>(6));
      for (int64_t i = 0; i < call.lengthQ; ++i) {
        std::map<int64_t, double> weights;
        double sum = 0;
        for (int64_t c = i % 2; c * stride < call.lengthK; c += 2)
          sum += weights[c] =
              std::exp(0.4 * dot(q[size_t(i)], meanOf(k, size_t(c * stride), size_t(c * stride + length))));
        for (auto [c, weight] : weights) {
          int64_t end = std::min<int64_t>(c * stride + length, call.lengthK),
                  rows = std::min<int64_t>(16, call.lengthQ - i / 16 * 16);
          for (int64_t t = c * stride; t < end; ++t)
            shares[size_t(i / 16)][size_t(t / 16)] += weight / sum / double(end - c * stride) / double(rows);
        }
      }
      for (int64_t i = 0; i < 5; ++i) {
        const std::vector<double> &row = shares[size_t(i)];
        CHECK(std::accumulate(row.begin(), row.end(), 0.0) == Approx(1));
        for (int64_t j = 0; j < 6; ++j) {
          bool isKept = row[size_t(j)] >= std::min(bound, *std::max_element(row.begin(), row.end()));
          kept += isKept;
          CHECK(int(classes.at(0, h, i, j)) == isKept);
        }
      }
    }
    CHECK(kept > 20);
  }
}
