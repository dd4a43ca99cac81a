// Masks under classification against a second evaluation: blocks looked at pair by pair with the formula of the mask,
// selection by counting better blocks, linear attention through its state.
#include "RunSpec.h"

using namespace tercet;
using namespace tercet::reference;
using namespace tercet::test;

namespace {

constexpr int64_t block = 16, heads = 2, tokensQ = 70, tokensK = 90, dim = 4, valueDim = 3;
const std::array lengthsQ = {70, 45}, lengthsK = {90, 61};

/// A window that reaches back from the aligned ends and opens with every head, as a mask and as a formula.
constexpr const char *mask = R"(%m = tercet.mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %n = tercet.extent query
      %m_ = tercet.extent key
      %left = arith.addi %j, %n : index
      %right = arith.addi %i, %m_ : index
      %past = arith.cmpi sle, %left, %right : index
      %back = arith.subi %right, %left : index
      %forty = arith.constant 40 : index
      %reach = arith.muli %h, %forty : index
      %far = arith.addi %reach, %forty : index
      %inside = arith.cmpi sle, %back, %far : index
      %allowed = arith.andi %past, %inside : i1
      tercet.yield %allowed : i1
    })";
bool allows(int64_t b, int64_t h, int64_t i, int64_t j) {
  int64_t back = (i + lengthsK[b]) - (j + lengthsQ[b]);
  return back >= 0 && back <= 40 * h + 40;
}

Spec maskedSla(const std::string &rest) {
  return {.text = fmt::format(R"(tercet.spec @masked(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {{
    %block = tercet.param block = 16 : !tercet.static<i64>
    %keep = tercet.param keep = 0.3 : !tercet.runtime<f64>
    %drop = tercet.param drop = 0.3 : !tercet.runtime<f64>
    %phi = tercet.param feature_map = elu : !tercet.static<keyword>
    %over = tercet.param linear_over = marginal : !tercet.static<keyword>
    {}
    %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
    %classes = tercet.select %scores keep top_fraction(%keep) drop bottom_fraction(%drop) mask(%m)
    tercet.skip %classes[negligible]
    %exact = tercet.sparse %q, %k, %v on %classes[critical] mask(%m)
    {}
    tercet.return %o
  }})",
                              mask, rest)};
}

Spec linearSpec(const std::string &over) {
  Spec spec = maskedSla("%rest = tercet.linear %q, %k, %v on %classes[marginal] over(%over) feature_map(%phi)\n"
                        "%o = tercet.combine sum(%exact, %rest)");
  spec.settings = {{"linear_over", over}};
  return spec;
}

enum class State { empty, partial, full };

struct Call {
  Program program;
  Data data;

  explicit Call(const Spec &spec) : program(programOf(spec)) {
    Shape shape{
        .batch = 2, .heads = heads, .tokensQ = tokensQ, .tokensK = tokensK, .headDim = dim, .valueDim = valueDim};
    data = makeData(program, shape, {.seed = 5});
    for (auto [name, lengths] : {std::pair{"q_len", lengthsQ}, {"k_len", lengthsK}}) {
      OwnedTensor tensor = OwnedTensor::make(DType::i32, {2});
      for (int64_t b = 0; b < 2; ++b)
        tensor.view().set(lengths[b], b);
      data.tensors.emplace_back(name, std::move(tensor));
    }
  }

  Evaluation evaluated(const Arguments &arguments) const {
    auto evaluation = evaluate(program, arguments);
    INFO(evaluation.status().message());
    REQUIRE(evaluation.ok());
    return *std::move(evaluation);
  }
};

State stateOf(int64_t b, int64_t h, int64_t i, int64_t j) {
  int64_t allowed = 0, pairs = 0;
  for (int64_t row = i * block; row < std::min<int64_t>((i + 1) * block, lengthsQ[b]); ++row)
    for (int64_t key = j * block; key < std::min<int64_t>((j + 1) * block, lengthsK[b]); ++key) {
      allowed += allows(b, h, row, key);
      ++pairs;
    }
  return allowed == 0 ? State::empty : allowed == pairs ? State::full : State::partial;
}

double meanProduct(const Call &call, int64_t b, int64_t h, int64_t i, int64_t j) {
  auto mean = [&](const char *name, int64_t index, int64_t length, int64_t c) {
    double sum = 0, count = 0;
    for (int64_t t = index * block; t < std::min((index + 1) * block, length); ++t, ++count)
      sum += call.data[name].get(b, h, t, c);
    return sum / count;
  };
  double product = 0;
  for (int64_t c = 0; c < dim; ++c)
    product += mean("q", i, lengthsQ[b], c) * mean("k", j, lengthsK[b], c);
  return product;
}

/// Classes of one row of blocks: partial ones apart, the others by how many beat them. Amounts are 30 % of the non-empty ones.
std::vector<int> rowClasses(const Call &call, int64_t b, int64_t h, int64_t i) {
  int64_t blocks = (tokensK + block - 1) / block;
  std::vector<State> states;
  std::vector<double> scores;
  for (int64_t j = 0; j < blocks; ++j) {
    states.push_back(stateOf(b, h, i, j));
    scores.push_back(states[j] == State::empty ? 0 : meanProduct(call, b, h, i, j));
  }
  auto nonEmpty = blocks - std::count(states.begin(), states.end(), State::empty);
  auto full = std::count(states.begin(), states.end(), State::full);
  auto amount = int64_t(0.3 * double(nonEmpty));
  auto keep = std::min(full, std::max<int64_t>(amount, 1)), drop = std::min(full - keep, amount);
  std::vector<int> classes;
  for (int64_t j = 0; j < blocks; ++j) {
    int64_t better = 0, worse = 0;
    for (int64_t other = 0; other < blocks; ++other) {
      better += states[other] == State::full && scores[other] > scores[j];
      worse += states[other] == State::full && scores[other] < scores[j];
    }
    classes.push_back(states[j] == State::empty     ? -1
                      : states[j] == State::partial ? 1
                      : better < keep               ? 1
                      : worse < drop                ? -1
                                                    : 0);
  }
  return classes;
}

double elu(double x) { return x > 0 ? x + 1 : std::exp(x); }

/// Checks o of every valid row where its row of blocks has these classes and the linear set is what isLinear says.
void checkRows(const Call &call, const Evaluation &evaluation, const std::function<bool(int8_t, State)> &isLinear) {
  const Tensor &q = call.data["q"], &k = call.data["k"], &v = call.data["v"];
  for (size_t slot = 0; slot < evaluation.rows.size(); ++slot) {
    auto [b, h, row] = evaluation.rows[slot];
    if (row >= lengthsQ[b])
      continue;
    double exactMass = 0, linearMass = 0;
    std::vector<double> exact(valueDim), linear(valueDim);
    for (int64_t j = 0; j < lengthsK[b]; ++j) {
      int8_t value = evaluation.classes.at(b, h, row / block, j / block);
      double product = 0, features = 0;
      for (int64_t c = 0; c < dim; ++c) {
        product += q.get(b, h, row, c) * k.get(b, h, j, c) / std::sqrt(double(dim));
        features += elu(q.get(b, h, row, c)) * elu(k.get(b, h, j, c));
      }
      double p = value == 1 && allows(b, h, row, j) ? std::exp(product) : 0;
      double weight = isLinear(value, stateOf(b, h, row / block, j / block)) ? features : 0;
      exactMass += p;
      linearMass += weight;
      for (int64_t c = 0; c < valueDim; ++c) {
        exact[c] += p * v.get(b, h, j, c);
        linear[c] += weight * v.get(b, h, j, c);
      }
    }
    for (int64_t c = 0; c < valueDim; ++c) {
      double o = (exactMass > 0 ? exact[c] / exactMass : 0) + (linearMass > 0 ? linear[c] / linearMass : 0);
      REQUIRE(evaluation.result().o[slot * valueDim + c] == Approx(o).epsilon(1e-11).margin(1e-12));
    }
  }
}

} // namespace

TEST_CASE("empty blocks are in no class, partial ones critical, and only full ones are counted", "[mask]") {
  Call call(linearSpec("marginal"));
  Evaluation evaluation = call.evaluated(call.data.arguments());
  int partial = 0, marginal = 0;
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t i = 0; i * block < lengthsQ[b]; ++i) {
        std::vector<int> right = rowClasses(call, b, h, i);
        for (size_t j = 0; j < right.size(); ++j) {
          INFO(b << " " << h << " " << i << " " << j);
          CHECK(int(evaluation.classes.at(b, h, i, int64_t(j))) == right[j]);
          partial += stateOf(b, h, i, int64_t(j)) == State::partial;
          marginal += right[j] == 0;
        }
      }
  CHECK(partial > 20);
  CHECK(marginal > 5);
}

TEST_CASE("partial and empty blocks are outside of every linear set", "[mask]") {
  Call marginal(linearSpec("marginal")), others(linearSpec("non_critical")), all(linearSpec("all"));
  checkRows(marginal, marginal.evaluated(marginal.data.arguments()),
            [](int8_t value, State state) { return state == State::full && value == 0; });
  checkRows(others, others.evaluated(others.data.arguments()),
            [](int8_t value, State state) { return state == State::full && value != 1; });
  checkRows(all, all.evaluated(all.data.arguments()), [](int8_t, State state) { return state == State::full; });
}

TEST_CASE("classes handed in bend to the mask, but -1 skips a partial block", "[mask]") {
  for (const char *over : {"marginal", "non_critical", "all"}) {
    Call call(linearSpec(over));
    OwnedTensor given = OwnedTensor::make(DType::i8, {1, 1, 5, 6});
    for (int64_t i = 0; i < 5; ++i)
      for (int64_t j = 0; j < 6; ++j)
        given.view().set((i * 6 + j) % 3 - 1, 0, 0, i, j);
    Evaluation evaluation = call.evaluated(with(call.data.arguments(), {{"classes", given.view()}}));
    for (int64_t b = 0; b < 2; ++b)
      for (int64_t h = 0; h < heads; ++h)
        for (int64_t i = 0; i < 5; ++i)
          for (int64_t j = 0; j < 6; ++j) {
            int value = int((i * 6 + j) % 3 - 1);
            State state = stateOf(b, h, i, j);
            CHECK(int(evaluation.classes.at(b, h, i, j)) == (state == State::empty                   ? -1
                                                             : state == State::partial && value == 0 ? 1
                                                                                                     : value));
          }
    std::string set = over;
    checkRows(call, evaluation, [&](int8_t value, State state) {
      return state == State::full && (set == "all" || value == 0 || (set == "non_critical" && value == -1));
    });
  }
}

TEST_CASE("no mean stands for a partial block", "[mask]") {
  Call call(maskedSla("%means = tercet.block_mean %q, %k, %v on %classes[marginal]\n"
                      "%o = tercet.combine joint(%exact, %means)"));
  Evaluation evaluation = call.evaluated(call.data.arguments());
  const Tensor &q = call.data["q"], &k = call.data["k"], &v = call.data["v"];
  for (size_t slot = 0; slot < evaluation.rows.size(); ++slot) {
    auto [b, h, row] = evaluation.rows[slot];
    if (row >= lengthsQ[b])
      continue;
    double mass = 0, o = 0; // of value column 1
    for (int64_t j = 0; j < 6; ++j) {
      int64_t first = j * block, end = std::min<int64_t>(first + block, lengthsK[b]);
      int8_t value = evaluation.classes.at(b, h, row / block, j);
      double meanProduct = 0, meanValue = 0, count = double(end - first);
      for (int64_t t = first; t < end; ++t) {
        double product = 0;
        for (int64_t c = 0; c < dim; ++c)
          product += q.get(b, h, row, c) * k.get(b, h, t, c) / std::sqrt(double(dim));
        double p = value == 1 && allows(b, h, row, t) ? std::exp(product) : 0;
        mass += p;
        o += p * v.get(b, h, t, 1);
        meanProduct += product / count;
        meanValue += v.get(b, h, t, 1) / count;
      }
      if (value == 0 && stateOf(b, h, row / block, j) == State::full) {
        mass += count * std::exp(meanProduct);
        o += count * std::exp(meanProduct) * meanValue;
      }
    }
    REQUIRE(evaluation.result().o[slot * valueDim + 1] == Approx(mass > 0 ? o / mass : 0).epsilon(1e-11).margin(1e-12));
  }
}

TEST_CASE("a pattern is critical in its set, and where the mask cuts through a block", "[mask]") {
  Spec spec{.text = fmt::format(R"(tercet.spec @pattern(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens,
                                     %near: !tercet.table<[head], i32>) {{
    %block = tercet.param block = 16 : !tercet.static<i64>
    {}
    %set = tercet.block_set blocks(%block, %block) {{
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %back = arith.subi %i, %j : index
      %distance = arith.index_cast %back : index to i32
      %length = math.absi %distance : i32
      %size = arith.index_cast %length : i32 to index
      %reach = tercet.read %near[%h] : !tercet.table<[head], i32>
      %member = arith.cmpi sle, %size, %reach : index
      tercet.yield %member : i1
    }}
    %classes = tercet.pattern %set mask(%m)
    tercet.skip %classes[marginal]
    %o = tercet.sparse %q, %k, %v on %classes[critical] mask(%m)
    tercet.return %o
  }})",
                                mask)};
  Call call(spec);
  call.data["near"].set(0, 0);
  call.data["near"].set(2, 1);
  Evaluation evaluation = call.evaluated(call.data.arguments());
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t i = 0; i < 5; ++i)
        for (int64_t j = 0; j < 6; ++j) {
          State state = stateOf(b, h, i, j);
          bool inSet = std::abs(i - j) <= 2 * h;
          CHECK(int(evaluation.classes.at(b, h, i, j)) == (state == State::empty              ? -1
                                                           : state == State::partial || inSet ? 1
                                                                                              : 0));
        }
}
