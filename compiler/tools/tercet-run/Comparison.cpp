#include "Comparison.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

namespace tercet::run {
namespace {

using BlockRow = std::tuple<int64_t, int64_t, int64_t>; ///< batch, head, query block

constexpr int64_t blockRowsPerExcuse = 200;

/// Errors of one output over rows, as dialect/lib/reference/ErrorMeasure.cpp measures them.
class ErrorSum {
public:
  void add(double got, double right, double denominatorFloor) {
    bool bothFinite = std::isfinite(got) && std::isfinite(right);
    if (!bothFinite) {
      bool same = std::isnan(right) ? std::isnan(got) : got == right;
      errors.nonFinite += !same;
      return;
    }
    double error = std::fabs(got - right), size = std::max(std::fabs(right), denominatorFloor);
    squaredError += error * error;
    squaredRight += size * size;
    sum += error;
    errors.max = std::max(errors.max, error);
    ++count;
  }
  OutputErrors finish(const Bounds &bounds) {
    errors.relativeL2 = squaredError == 0 ? 0 : squaredRight == 0 ? INFINITY : std::sqrt(squaredError / squaredRight);
    errors.mean = count ? sum / static_cast<double>(count) : 0;
    errors.bounds = bounds;
    return errors;
  }

private:
  OutputErrors errors;
  double squaredError = 0, squaredRight = 0, sum = 0;
  int64_t count = 0;
};

std::set<BlockRow> differingRows(const Tensor &right, const Tensor &got) {
  std::set<BlockRow> rows;
  for (int64_t b = 0; b < right.shape[0]; ++b)
    for (int64_t h = 0; h < right.shape[1]; ++h)
      for (int64_t i = 0; i < right.shape[2]; ++i)
        for (int64_t j = 0; j < right.shape[3]; ++j)
          if (right.get(b, h, i, j) != got.get(b, h, i, j))
            rows.insert({b, h, i});
  return rows;
}

} // namespace

CaseErrors compareOutputs(const CaseEntry &entry, int64_t blockQ, const std::map<std::string, Tensor> &expected,
                          const std::map<std::string, Tensor> &got) {
  CaseErrors result;
  std::set<BlockRow> elsewhere;
  if (entry.hasClasses) {
    const Tensor &classes = expected.at("expected_classes");
    elsewhere = differingRows(classes, got.at("classes"));
    result.classRows = classes.shape[0] * classes.shape[1] * classes.shape[2];
    result.classRowsDiffering = static_cast<int64_t>(elsewhere.size());
    result.classesPassed = result.classRowsDiffering <= std::max<int64_t>(1, result.classRows / blockRowsPerExcuse);
  }
  const Tensor &rows = expected.at("expected_rows"), &rightO = expected.at("expected_o"), &o = got.at("o");
  ErrorSum sumO, sumLse;
  for (int64_t slot = 0; slot < rows.shape[0]; ++slot) {
    auto at = [&](int64_t field) { return static_cast<int64_t>(rows.get(slot, field)); };
    int64_t b = at(0), h = at(1), row = at(2);
    if (blockQ > 0 && elsewhere.contains({b, h, row / blockQ})) {
      ++result.rowsElsewhere;
      continue;
    }
    ++result.rows;
    for (int64_t c = 0; c < rightO.shape[1]; ++c)
      sumO.add(o.get(b, h, row, c), rightO.get(slot, c), 0);
    if (entry.hasLse)
      sumLse.add(got.at("lse").get(b, h, row), expected.at("expected_lse").get(slot), 1);
  }
  result.o = sumO.finish(entry.o);
  if (entry.hasLse)
    result.lse = sumLse.finish(entry.lse);
  return result;
}

} // namespace tercet::run
