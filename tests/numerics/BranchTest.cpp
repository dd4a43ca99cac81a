// Specs of several branches against what plain sums over their parts give, on every backend (docs/spec.md#gate, #combine,
// #compressed).
#include "RunSpec.h"

#include <fmt/format.h>

using namespace tercet;
using namespace tercet::test;

namespace {

const reference::Shape shape{
    .batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 45, .tokensK = 70, .headDim = 16, .valueDim = 24};

/// `body` makes %o from %q, %k, %v.
Spec specOf(const std::string &body, const std::string &arguments = "") {
  return {.text = fmt::format("tercet.spec @branches(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens{}) {{\n"
                              "{}\ntercet.return %o\n}}\n",
                              arguments, body)};
}

/// Exact attention over the keys for which `condition` sets %in.
std::string sparseWhere(const std::string &name, const std::string &condition) {
  return fmt::format("%mask_{0} = tercet.mask {{\n^bb0(%b: index, %h: index, %i: index, %j: index):\n{1}\n"
                     "tercet.yield %in : i1\n}}\n%{0} = tercet.sparse %q, %k, %v mask(%mask_{0})\n",
                     name, condition);
}
const std::string firstKeys = "%cut = arith.constant 30 : index\n%in = arith.cmpi slt, %j, %cut : index";
const std::string otherKeys = "%cut = arith.constant 30 : index\n%in = arith.cmpi sge, %j, %cut : index";

/// %NAME = %branch times what `factor` makes %f.
std::string gateOf(const std::string &name, const std::string &branch, const std::string &factor) {
  return fmt::format("%{} = tercet.gate %{} {{\n^bb0(%b: index, %h: index, %i: index, %e: index):\n{}\n"
                     "tercet.yield %f : f32\n}}\n",
                     name, branch, factor);
}

reference::Data dataFor(const Spec &spec, double scale = 1) {
  return reference::makeData(programOf(spec), shape, {.seed = 3, .scale = scale});
}

/// q, k and v alone, for specs without tables.
Arguments tokensOf(const reference::Data &data) {
  Arguments arguments = data.arguments();
  std::erase_if(arguments.tensors, [](const auto &named) { return named.first == "g" || named.first == "which"; });
  return arguments;
}

double dot(const Tensor &q, const Tensor &k, int64_t b, int64_t h, int64_t i, int64_t j) {
  double sum = 0;
  for (int64_t c = 0; c < q.shape[3]; ++c)
    sum += q.get(b, h, i, c) * k.get(b, h / 2, j, c);
  return sum / std::sqrt(double(q.shape[3]));
}

/// Runs body(index of an element of o, batch, head, row, feature) over all of o.
template <typename Body> void eachOutput(Body body) {
  size_t at = 0;
  for (int64_t b = 0; b < shape.batch; ++b)
    for (int64_t h = 0; h < shape.heads; ++h)
      for (int64_t i = 0; i < shape.tokensQ; ++i)
        for (int64_t e = 0; e < shape.valueDim; ++e)
          body(at++, b, h, i, e);
}

} // namespace

TEST_CASE("a joint softmax over parts of the keys is the softmax over all", "[branch]") {
  Spec parts = specOf(sparseWhere("x", firstKeys) + sparseWhere("y", otherKeys) + "%o = tercet.combine joint(%x, %y)");
  Spec whole = specOf("%o = tercet.sparse %q, %k, %v");
  for (double scale : {1.0, 4.0}) {
    reference::Data data = dataFor(whole, scale);
    for (Backend *backend : backends()) {
      INFO(backend->name());
      Ran got = runSpec(*backend, parts, data.arguments()), expected = runSpec(*backend, whole, data.arguments());
      CHECK(distance(got.o, expected.o) <= reordered);
      CHECK(distance(got.lse, expected.lse) <= reordered);
    }
  }
}

TEST_CASE("a key under a joint softmax counts once per branch that sees it", "[branch]") {
  Spec twice = specOf("%x = tercet.sparse %q, %k, %v\n%y = tercet.sparse %q, %k, %v\n"
                      "%z = tercet.sparse %q, %k, %v\n%o = tercet.combine joint(%x, %y, %z)");
  Spec once = specOf("%o = tercet.sparse %q, %k, %v");
  reference::Data data = dataFor(once);
  for (Backend *backend : backends()) {
    INFO(backend->name());
    Ran got = runSpec(*backend, twice, data.arguments()), expected = runSpec(*backend, once, data.arguments());
    for (double &lse : expected.lse)
      lse += std::log(3.0);
    CHECK(distance(got.o, expected.o) <= reordered);
    CHECK(distance(got.lse, expected.lse) <= reordered);
  }
}

TEST_CASE("a branch without a live key adds nothing to a joint softmax", "[branch]") {
  Spec parts = specOf(sparseWhere("x", "%in = arith.constant false") + sparseWhere("y", otherKeys) +
                      sparseWhere("z", "%in = arith.constant false") + "%o = tercet.combine joint(%x, %y, %z)");
  Spec one = specOf(sparseWhere("o", otherKeys));
  Spec none = specOf(sparseWhere("x", "%in = arith.constant false") + sparseWhere("y", "%in = arith.constant false") +
                     "%o = tercet.combine joint(%x, %y)");
  reference::Data data = dataFor(one);
  for (Backend *backend : backends()) {
    INFO(backend->name());
    Ran got = runSpec(*backend, parts, data.arguments()), expected = runSpec(*backend, one, data.arguments());
    CHECK(distance(got.o, expected.o) <= reordered);
    CHECK(distance(got.lse, expected.lse) <= reordered);
    Ran empty = runSpec(*backend, none, data.arguments());
    CHECK(std::all_of(empty.o.begin(), empty.o.end(), [](double x) { return x == 0; }));
    CHECK(std::all_of(empty.lse.begin(), empty.lse.end(), [](double x) { return x == -HUGE_VAL; }));
  }
}

TEST_CASE("a sum adds branches times their gates", "[branch]") {
  const std::string table = ", %g: !tercet.table<[batch, head, query, feature], f32>";
  const std::string read = "%f = tercet.read %g[%b, %h, %i, %e] : !tercet.table<[batch, head, query, feature], f32>";
  Spec gated = specOf(sparseWhere("x", firstKeys) + sparseWhere("y", otherKeys) + gateOf("u", "x", read) +
                          gateOf("w", "y", "%f = arith.constant -3.0 : f32") + "%o = tercet.combine sum(%u, %w)",
                      table);
  Spec alone = specOf(sparseWhere("x", firstKeys) + gateOf("o", "x", read), table);
  Spec first = specOf(sparseWhere("o", firstKeys)), other = specOf(sparseWhere("o", otherKeys));
  reference::Data data = dataFor(gated);
  for (Backend *backend : backends()) {
    INFO(backend->name());
    Ran x = runSpec(*backend, first, tokensOf(data)), y = runSpec(*backend, other, tokensOf(data));
    std::vector<double> both, one;
    eachOutput([&](size_t at, int64_t b, int64_t h, int64_t i, int64_t e) {
      one.push_back(data["g"].get(b, h, i, e) * x.o[at]);
      both.push_back(one.back() - 3 * y.o[at]);
    });
    CHECK(distance(runSpec(*backend, gated, data.arguments()).o, both) <= reordered);
    Ran onlyX = runSpec(*backend, alone, data.arguments());
    CHECK(distance(onlyX.o, one) <= reordered);
    CHECK(distance(onlyX.lse, x.lse) <= reordered);
  }
}

TEST_CASE("heads choose their branch, or none", "[branch]") {
  const std::string which = ", %which: !tercet.table<[head], i32>";
  Spec apart = specOf(sparseWhere("x", firstKeys) + sparseWhere("y", otherKeys) +
                          "%o = tercet.combine by_head(%x, %y) choice(%which : !tercet.table<[head], i32>)",
                      which);
  Spec specs[] = {specOf(sparseWhere("o", firstKeys)), specOf(sparseWhere("o", otherKeys))};
  reference::Data data = dataFor(apart);
  const int choices[] = {1, -1, 0, 2};
  for (int64_t head = 0; head < 4; ++head)
    data["which"].set(choices[head], head);
  for (Backend *backend : backends()) {
    INFO(backend->name());
    Ran got = runSpec(*backend, apart, data.arguments());
    Ran of[] = {runSpec(*backend, specs[0], tokensOf(data)), runSpec(*backend, specs[1], tokensOf(data))};
    std::vector<double> o, lse;
    eachOutput([&](size_t at, int64_t, int64_t h, int64_t, int64_t e) {
      bool isThere = choices[h] == 0 || choices[h] == 1;
      o.push_back(isThere ? of[choices[h]].o[at] : 0);
      if (e == 0)
        lse.push_back(isThere ? of[choices[h]].lse[at / shape.valueDim] : -HUGE_VAL);
    });
    CHECK(distance(got.o, o) == 0);
    CHECK(distance(got.lse, lse) == 0);
  }
}

TEST_CASE("pools of one token are the tokens", "[branch]") {
  Spec pools = specOf("%n = tercet.param n = 1 : !tercet.static<i64>\n"
                      "%o = tercet.compressed %q, %k, %v pool(%n, %n) queries(%n)");
  Spec dense = specOf("%o = tercet.sparse %q, %k, %v");
  reference::Data data = dataFor(dense);
  for (Backend *backend : backends()) {
    INFO(backend->name());
    Ran got = runSpec(*backend, pools, data.arguments()), expected = runSpec(*backend, dense, data.arguments());
    CHECK(distance(got.o, expected.o) <= reordered);
    CHECK(distance(got.lse, expected.lse) <= reordered);
  }
}

TEST_CASE("pools are means of runs of tokens, and pooled queries share a row", "[branch]") {
  constexpr int64_t length = 12, stride = 8, rows = 10;
  Spec spec = specOf("%n = tercet.param n = 12 : !tercet.static<i64>\n%s = tercet.param s = 8 : !tercet.static<i64>\n"
                     "%r = tercet.param r = 10 : !tercet.static<i64>\n"
                     "%o = tercet.compressed %q, %k, %v pool(%n, %s) queries(%r)");
  reference::Data data = dataFor(spec);
  const Tensor &q = data["q"], &k = data["k"], &v = data["v"];
  std::vector<double> o(size_t(shape.batch * shape.heads * shape.tokensQ * shape.valueDim)), lse(o.size());
  lse.resize(o.size() / size_t(shape.valueDim));
  for (int64_t b = 0; b < shape.batch; ++b)
    for (int64_t h = 0; h < shape.heads; ++h)
      for (int64_t i = 0; i < shape.tokensQ; ++i) {
        int64_t firstRow = i / rows * rows, endRow = std::min(firstRow + rows, shape.tokensQ);
        double total = 0;
        std::vector<double> sum(size_t(shape.valueDim), 0.0);
        for (int64_t first = 0; first < shape.tokensK; first += stride) {
          int64_t end = std::min(first + length, shape.tokensK);
          double score = 0; // the product of means is the mean of products
          for (int64_t t = firstRow; t < endRow; ++t)
            for (int64_t j = first; j < end; ++j)
              score += dot(q, k, b, h, t, j) / double((endRow - firstRow) * (end - first));
          double weight = std::exp(score);
          total += weight;
          for (int64_t j = first; j < end; ++j)
            for (int64_t e = 0; e < shape.valueDim; ++e)
              sum[size_t(e)] += weight * v.get(b, h / 2, j, e) / double(end - first);
        }
        size_t at = size_t((b * shape.heads + h) * shape.tokensQ + i);
        for (int64_t e = 0; e < shape.valueDim; ++e)
          o[at * size_t(shape.valueDim) + size_t(e)] = sum[size_t(e)] / total;
        lse[at] = std::log(total);
      }
  for (Backend *backend : backends()) {
    INFO(backend->name());
    Ran got = runSpec(*backend, spec, data.arguments());
    CHECK(distance(got.o, o) <= reordered);
    CHECK(distance(got.lse, lse) <= reordered);
  }
}
