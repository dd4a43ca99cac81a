// The derivative of every op of regions. At points without one, what PyTorch does: equal operands of maximum and minimum
// share, those of the Or forms give all to the first; |x| has 0 at 0.
#include "RegionGradient.h"

#include <cmath>
#include <numbers>

namespace tercet::reference {

using Kind = PairOp::Kind;

/// Of the larger of `a` and `b` by `a`.
static double shareOfLarger(double a, double b) { return a < b ? 0 : a == b ? 0.5 : 1; }

/// Of the larger of the two that is a number, by `a`, the first.
static double firstIsLarger(double a, double b) { return a >= b || std::isnan(b) ? 1 : 0; }

std::array<double, 3> partialDerivatives(Kind kind, double a, double b, double c, double y) {
  constexpr double ln2 = std::numbers::ln2;
  switch (kind) {
  case Kind::addF:
    return {1, 1, 0};
  case Kind::subF:
    return {1, -1, 0};
  case Kind::mulF:
    return {b, a, 0};
  case Kind::divF:
    return {1 / b, -y / b, 0};
  case Kind::negF:
    return {-1, 0, 0};
  case Kind::maximum:
    return {shareOfLarger(a, b), shareOfLarger(b, a), 0};
  case Kind::minimum:
    return {shareOfLarger(-a, -b), shareOfLarger(-b, -a), 0};
  case Kind::maximumOr: {
    double first = firstIsLarger(a, b);
    return {first, 1 - first, 0};
  }
  case Kind::minimumOr: {
    double first = firstIsLarger(-a, -b);
    return {first, 1 - first, 0};
  }
  case Kind::exp:
    return {y, 0, 0};
  case Kind::exp2:
    return {y * ln2, 0, 0};
  case Kind::log:
    return {1 / a, 0, 0};
  case Kind::log2:
    return {1 / (a * ln2), 0, 0};
  case Kind::tanh:
    return {1 - y * y, 0, 0};
  case Kind::sqrt:
    return {0.5 / y, 0, 0};
  case Kind::rsqrt:
    return {-0.5 * y / a, 0, 0};
  case Kind::absF:
    return {a > 0 ? 1.0 : a < 0 ? -1.0 : 0.0, 0, 0};
  case Kind::fma:
    return {b, a, 1};
  // Flat: steps, and what comes from integers or goes to them.
  case Kind::floor:
  case Kind::ceil:
  case Kind::number:
  case Kind::integer:
  case Kind::extent:
  case Kind::readInteger:
  case Kind::addI:
  case Kind::subI:
  case Kind::mulI:
  case Kind::divI:
  case Kind::remI:
  case Kind::floorDivI:
  case Kind::ceilDivI:
  case Kind::minI:
  case Kind::maxI:
  case Kind::andI:
  case Kind::orI:
  case Kind::xorI:
  case Kind::shiftLeft:
  case Kind::shiftRight:
  case Kind::absI:
  case Kind::compareSigned:
  case Kind::compareUnsigned:
  case Kind::toNumber:
  case Kind::toInteger:
  case Kind::compareF:
    return {0, 0, 0};
  // Whose way back is no product.
  case Kind::readNumber:
  case Kind::select:
    break;
  }
  TERCET_CHECK(false, "an op that has no partial derivatives");
}

RegionGradient::RegionGradient(const PairProgram &pairs, ScorePrecision precision)
    : pairs(pairs), isF32(precision == ScorePrecision::f32), adjoints(PairProgram::firstOp + pairs.ops.size()) {}

void RegionGradient::add(int target, double value) {
  double sum = adjoints[target] + value;
  adjoints[target] = isF32 ? static_cast<float>(sum) : sum;
}

double RegionGradient::run(const PairEvaluator &at, double adjoint) {
  const std::vector<PairValue> &values = at.values();
  tables.clear();
  adjoints.assign(adjoints.size(), 0);
  adjoints[pairs.result] = adjoint;
  for (size_t index = pairs.ops.size(); index-- > 0;) {
    const PairOp &op = pairs.ops[index];
    double of = adjoints[PairProgram::firstOp + index];
    if (of == 0)
      continue;
    if (op.kind == Kind::readNumber) {
      tables.push_back({op.table, at.entryOf(op), of});
    } else if (op.kind == Kind::select) {
      add(op.operands[values[op.operands[0]].integer ? 1 : 2], of);
    } else {
      std::array<double, 3> in{};
      for (size_t operand = 0; operand < in.size(); ++operand)
        if (op.operands[operand] >= 0)
          in[operand] = values[op.operands[operand]].number;
      double result = values[PairProgram::firstOp + index].number;
      std::array<double, 3> partials = partialDerivatives(op.kind, in[0], in[1], in[2], result);
      for (size_t operand = 0; operand < in.size(); ++operand)
        if (partials[operand] != 0)
          add(op.operands[operand], of * partials[operand]);
    }
  }
  return adjoints[PairProgram::score];
}

} // namespace tercet::reference
