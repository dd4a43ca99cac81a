// Masks and score regions of well-known variants against softmax rows written out here with the formula of the variant.
#include "RunSpec.h"
#include "support/PairSpecs.h"

using namespace tercet;
using namespace tercet::reference;
using namespace tercet::test;

namespace {

/// One pair, with the sizes of its batch entry.
struct Pair {
  int64_t b, h, i, j, n, m;
};
using Allowed = std::function<bool(const Pair &)>;
using Scored = std::function<double(double, const Pair &)>;

/// A call of a spec on seeded data with lengths, two KV heads for four query heads, and more keys than queries.
struct Called {
  Program program;
  Data data;
  Arguments arguments;

  explicit Called(const Spec &spec, uint64_t seed = 3) : program(programOf(spec)) {
    Shape shape{.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 37, .tokensK = 53, .headDim = 6, .valueDim = 3};
    data = makeData(program, shape, {.seed = seed});
    for (auto [name, lengths] : {std::pair{"q_len", std::array{37, 21}}, {"k_len", std::array{53, 40}}}) {
      OwnedTensor tensor = OwnedTensor::make(DType::i32, {2});
      for (int64_t b = 0; b < 2; ++b)
        tensor.view().set(lengths[b], b);
      data.tensors.emplace_back(name, std::move(tensor));
    }
    arguments = data.arguments();
  }
};

/// Checks every row of dense attention with this mask and this score.
void checkDense(const Called &called, const Allowed &allowed, const Scored &scored) {
  auto evaluation = evaluate(called.program, called.arguments);
  INFO(evaluation.status().message());
  REQUIRE(evaluation.ok());
  const Tensor &q = called.data["q"], &k = called.data["k"], &v = called.data["v"];
  const BranchRows &result = evaluation->result();
  int64_t dim = q.shape[3], valueDim = v.shape[3];
  for (size_t slot = 0; slot < evaluation->rows.size(); ++slot) {
    auto [b, h, i] = evaluation->rows[slot];
    auto n = int64_t(called.data["q_len"].get(b)), m = int64_t(called.data["k_len"].get(b));
    double sum = 0;
    std::vector<double> o(valueDim);
    for (int64_t j = 0; i < n && j < m; ++j) {
      Pair pair{b, h, i, j, n, m};
      if (!allowed(pair))
        continue;
      double product = 0;
      for (int64_t c = 0; c < dim; ++c)
        product += q.get(b, h, i, c) * k.get(b, h / 2, j, c);
      double p = std::exp(scored(product / std::sqrt(double(dim)), pair));
      sum += p;
      for (int64_t c = 0; c < valueDim; ++c)
        o[c] += p * v.get(b, h / 2, j, c);
    }
    INFO("row " << b << " " << h << " " << i);
    if (sum == 0)
      REQUIRE(result.lse[slot] == -INFINITY);
    else
      REQUIRE(result.lse[slot] == Approx(std::log(sum)).epsilon(1e-11).margin(1e-11));
    for (int64_t c = 0; c < valueDim; ++c)
      REQUIRE(result.o[slot * valueDim + c] == Approx(sum == 0 ? 0 : o[c] / sum).epsilon(1e-11).margin(1e-12));
  }
}

bool always(const Pair &) { return true; }
double unchanged(double s, const Pair &) { return s; }

} // namespace

TEST_CASE("causal masks align the beginnings or the ends, lengths considered", "[pairs]") {
  checkDense(
      Called(causalBeginnings()), [](const Pair &p) { return p.j <= p.i; }, unchanged);
  checkDense(
      Called(causalEnds()), [](const Pair &p) { return p.j - p.m <= p.i - p.n; }, unchanged);
}

TEST_CASE("a causal window", "[pairs]") {
  Called called(causalWindow());
  checkDense(
      called, [](const Pair &p) { return p.j <= p.i && p.i - p.j < 6; }, unchanged);
  called.arguments.parameters = {{"window", 2}};
  checkDense(
      called, [](const Pair &p) { return p.j <= p.i && p.i - p.j < 2; }, unchanged);
}

TEST_CASE("documents by a segment table", "[pairs]") {
  Called called(documents());
  const Tensor &segment = called.data["segment"];
  checkDense(
      called, [&](const Pair &p) { return segment.get(p.b, p.i) == segment.get(p.b, p.j); }, unchanged);
}

TEST_CASE("a bias per head that grows with distance", "[pairs]") {
  Called called(alibi());
  const Tensor &slopes = called.data["slopes"];
  checkDense(called, always, [&](double s, const Pair &p) { return s + slopes.get(p.h) * double(p.j - p.i); });
}

TEST_CASE("capped scores", "[pairs]") {
  checkDense(Called(softcap()), always, [](double s, const Pair &) { return 2 * std::tanh(s / 2); });
}

TEST_CASE("a table of biases by clamped distance", "[pairs]") {
  Called called(relativeBias());
  const Tensor &bias = called.data["bias"];
  checkDense(called, always,
             [&](double s, const Pair &p) { return s + bias.get(p.h, std::clamp<int64_t>(p.j - p.i + 8, 0, 16)); });
}

TEST_CASE("per batch entry, KV head, query and key", "[pairs]") {
  Called called(gatedPairs());
  const Tensor &gate = called.data["gate"], &query = called.data["query_bias"];
  checkDense(called, always,
             [&](double s, const Pair &p) { return s * gate.get(p.b, p.h / 2, p.j) + query.get(p.b, 0, p.i); });
}

TEST_CASE("a score of minus infinity leaves a pair out", "[pairs]") {
  checkDense(
      Called(everyThirdKey()), [](const Pair &p) { return p.j % 3 == 0; }, unchanged);
}

TEST_CASE("the plain evaluation follows masks and regions", "[pairs]") {
  for (const Spec &spec : {causalEnds(), alibi(), softcap(), relativeBias()}) {
    Called called(spec);
    auto right = evaluate(called.program, called.arguments);
    auto plain = evaluate(called.program, called.arguments, {.plain = true, .order = 3});
    REQUIRE(plain.ok());
    double error = distance(plain->result().o, right->result().o);
    CHECK(error > 0);
    CHECK(error < 1e-5);
  }
}

TEST_CASE("tables and parameters of regions that do not fit are refused", "[pairs][arguments]") {
  Called called(relativeBias());
  OwnedTensor wrong = OwnedTensor::make(DType::f32, {3, 17}), integers = OwnedTensor::make(DType::i32, {4, 17});
  CHECK(evaluate(called.program, with(called.arguments, {{"bias", wrong.view()}})).status().message() ==
        "table 'bias' is [3, 17] f32; expected [head 4 or 1, 17] f32");
  CHECK(evaluate(called.program, with(called.arguments, {{"bias", integers.view()}})).status().message() ==
        "table 'bias' is [4, 17] i32; expected [head 4 or 1, 17] f32");
  CHECK(evaluate(called.program, with(called.arguments, {{"bias", Tensor()}})).status().message() ==
        "the table bias is missing");
  Called window(causalWindow());
  window.arguments.parameters = {{"window", 2147483648.0}};
  CHECK(evaluate(window.program, window.arguments).status().message() ==
        "window is 2147483648; expected an integer from -1073741824 to 1073741824");
  window.arguments.parameters = {{"window", 1.5}};
  CHECK(evaluate(window.program, window.arguments).status().message() ==
        "window is 1.5; expected an integer from -1073741824 to 1073741824");
}

// Row 79 of a tile of rows sees one key far above all others, and row 80 a NaN that the mask keeps from row 79.
TEST_CASE("a NaN in a forbidden key reaches no row, whatever rows are computed together", "[pairs]") {
  constexpr int64_t tokens = 100, high = 64, broken = 80;
  Case entry{.name = "a NaN", .spec = "causal", .shape = {.tokensQ = tokens, .tokensK = tokens, .headDim = 16}};
  Data data = std::move(prepare(entry).inputs);
  for (auto &[name, tensor] : data.tensors)
    for (int64_t t = 0; t < tokens && name != "v"; ++t)
      for (int64_t c = 0; c < 16; ++c)
        tensor.view().set(c == 0 && name == "q" ? 1 : 0, 0, 0, t, c);
  for (auto &[name, tensor] : data.tensors)
    if (name == "k") {
      tensor.view().set(4000, 0, 0, high, 0); // a score of 1000: 1443 in log2 units
      tensor.view().set(NAN, 0, 0, broken, 0);
    }
  for (Backend *backend : backends()) {
    INFO(backend->name());
    Ran ran = runSpec(*backend, specNamed("causal"), data.arguments());
    for (int64_t i = high; i < broken; ++i)
      for (int64_t c = 0; c < 16; ++c)
        CHECK(ran.o[size_t(i * 16 + c)] == Approx(data["v"].get(0, 0, high, c)));
    for (int64_t i = broken; i < tokens; ++i)
      CHECK(std::isnan(ran.o[size_t(i * 16)]));
  }
}
