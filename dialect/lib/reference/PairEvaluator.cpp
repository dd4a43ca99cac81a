// The arithmetic of regions, and the order in which instructions run.
#include "PairEvaluator.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tercet::reference {
namespace {

using Kind = PairOp::Kind;

int32_t wrapped(int64_t value) { return static_cast<int32_t>(static_cast<uint32_t>(value)); }

int64_t floorDivided(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

/// Operands are 32-bit integers, so that no sum, product or quotient leaves 64 bits.
int32_t integerResult(Kind kind, int64_t a, int64_t b) {
  bool outside = b < 0 || b >= 32; // of a shift
  switch (kind) {
  case Kind::addI:
    return wrapped(a + b);
  case Kind::subI:
    return wrapped(a - b);
  case Kind::mulI:
    return wrapped(a * b);
  case Kind::divI:
    return b == 0 ? 0 : wrapped(a / b);
  case Kind::remI:
    return b == 0 ? 0 : wrapped(a % b);
  case Kind::floorDivI:
    return b == 0 ? 0 : wrapped(floorDivided(a, b));
  case Kind::ceilDivI:
    return b == 0 ? 0 : wrapped(-floorDivided(-a, b));
  case Kind::minI:
    return wrapped(std::min(a, b));
  case Kind::maxI:
    return wrapped(std::max(a, b));
  case Kind::andI:
    return wrapped(a & b);
  case Kind::orI:
    return wrapped(a | b);
  case Kind::xorI:
    return wrapped(a ^ b);
  case Kind::shiftLeft:
    return outside ? 0 : wrapped(a << b);
  case Kind::shiftRight:
    return outside ? (a < 0 ? -1 : 0) : wrapped(a >> b);
  case Kind::absI:
    return wrapped(std::abs(a));
  default:
    break;
  }
  TERCET_CHECK(false, "not an op of integers");
}

template <typename T> uint8_t outcome(T a, T b) {
  return a < b ? lessBit : a == b ? equalBit : a > b ? greaterBit : unorderedBit;
}

int32_t toInteger(double value) {
  constexpr double lowest = std::numeric_limits<int32_t>::min(), highest = std::numeric_limits<int32_t>::max();
  return std::isnan(value) ? 0 : static_cast<int32_t>(std::clamp(std::trunc(value), lowest, highest));
}

/// The larger of two numbers, +0 above -0.
double larger(double a, double b) { return a > b || (a == b && std::signbit(b)) ? a : b; }

double numberResult(Kind kind, double a, double b, double c) {
  const double unordered = std::numeric_limits<double>::quiet_NaN();
  switch (kind) {
  case Kind::addF:
    return a + b;
  case Kind::subF:
    return a - b;
  case Kind::mulF:
    return a * b;
  case Kind::divF:
    return a / b;
  case Kind::negF:
    return -a;
  case Kind::maximum:
    return std::isnan(a) || std::isnan(b) ? unordered : larger(a, b);
  case Kind::minimum:
    return std::isnan(a) || std::isnan(b) ? unordered : -larger(-a, -b);
  case Kind::maximumOr:
    return std::isnan(a) ? b : std::isnan(b) ? a : larger(a, b);
  case Kind::minimumOr:
    return std::isnan(a) ? b : std::isnan(b) ? a : -larger(-a, -b);
  case Kind::exp:
    return std::exp(a);
  case Kind::exp2:
    return std::exp2(a);
  case Kind::log:
    return std::log(a);
  case Kind::log2:
    return std::log2(a);
  case Kind::tanh:
    return std::tanh(a);
  case Kind::sqrt:
    return std::sqrt(a);
  case Kind::rsqrt:
    return 1 / std::sqrt(a);
  case Kind::absF:
    return std::fabs(a);
  case Kind::floor:
    return std::floor(a);
  case Kind::ceil:
    return std::ceil(a);
  case Kind::fma:
    return std::fma(a, b, c);
  default:
    break;
  }
  TERCET_CHECK(false, "not an op of numbers");
}

} // namespace

PairEvaluator::PairEvaluator(const Program &program, const PairProgram &pairs, const Operands &operands, int64_t batch,
                             int64_t head, ScorePrecision precision)
    : pairs(pairs), operands(operands), registers(PairProgram::firstOp + pairs.ops.size()) {
  for (const Table &table : program.tables)
    tables.push_back(*operands.arguments->find(table.name));
  enum { ofQuery = 1, ofKey = 2, ofScore = 4 };
  std::vector<int> needs(registers.size());
  needs[PairProgram::query] = ofQuery;
  needs[PairProgram::key] = ofKey;
  needs[PairProgram::score] = ofScore;
  registers[PairProgram::batch].integer = wrapped(batch);
  registers[PairProgram::head].integer = wrapped(head);
  std::vector<size_t> once;
  for (size_t index = 0; index < pairs.ops.size(); ++index) {
    int &need = needs[PairProgram::firstOp + index];
    for (int operand : pairs.ops[index].operands)
      need |= operand < 0 ? 0 : needs[operand];
    (need & (ofKey | ofScore) ? perPair : need ? perQuery : once).push_back(index);
  }
  for (int need : needs)
    isF32.push_back(precision == ScorePrecision::f32 || !(need & ofScore));
  for (size_t index : once)
    run(index);
}

std::array<int64_t, 4> PairEvaluator::entryOf(const PairOp &read) const {
  const Tensor &table = tables[read.table];
  std::array<int64_t, 4> at{};
  for (int axis = 0; axis < table.rank; ++axis)
    at[axis] = std::clamp<int64_t>(registers[read.operands[axis]].integer, 0, table.shape[axis] - 1);
  return at;
}

double PairEvaluator::read(const PairOp &op) const {
  std::array<int64_t, 4> at = entryOf(op);
  return tables[op.table].get(at[0], at[1], at[2], at[3]);
}

PairValue PairEvaluator::source(const PairOp &op) const {
  switch (op.kind) {
  case Kind::number:
    return {operands.value(op.value), 0};
  case Kind::integer:
    return {0, wrapped(static_cast<int64_t>(operands.value(op.value)))};
  case Kind::readNumber:
    return {read(op), 0};
  case Kind::readInteger:
    return {0, wrapped(static_cast<int64_t>(read(op)))};
  default:
    break;
  }
  int64_t batch = registers[PairProgram::batch].integer;
  switch (op.extent) {
  case ExtentOf::query:
    return {0, wrapped(operands.lengthQ(batch))};
  case ExtentOf::key:
    return {0, wrapped(operands.lengthK(batch))};
  case ExtentOf::head:
    return {0, wrapped(operands.sizes.headsQ)};
  case ExtentOf::kvHead:
    return {0, wrapped(operands.sizes.headsKV)};
  }
  return {};
}

PairValue PairEvaluator::evaluate(const PairOp &op) const {
  if (op.kind <= Kind::readInteger)
    return source(op);
  std::array<PairValue, 3> in{};
  for (size_t index = 0; index < in.size(); ++index)
    if (op.operands[index] >= 0)
      in[index] = registers[op.operands[index]];
  int64_t a = in[0].integer, b = in[1].integer;
  switch (op.kind) {
  case Kind::compareSigned:
    return {0, (op.outcomes & outcome(a, b)) != 0};
  case Kind::compareUnsigned:
    return {0, (op.outcomes & outcome(static_cast<uint32_t>(a), static_cast<uint32_t>(b))) != 0};
  case Kind::compareF:
    return {0, (op.outcomes & outcome(in[0].number, in[1].number)) != 0};
  case Kind::select:
    return a ? in[1] : in[2];
  case Kind::toNumber:
    return {static_cast<double>(a), 0};
  case Kind::toInteger:
    return {0, toInteger(in[0].number)};
  default:
    break;
  }
  if (op.kind < Kind::compareSigned)
    return {0, integerResult(op.kind, a, b)};
  return {numberResult(op.kind, in[0].number, in[1].number, in[2].number), 0};
}

void PairEvaluator::run(size_t index) {
  PairValue &result = registers[PairProgram::firstOp + index];
  result = evaluate(pairs.ops[index]);
  if (isF32[PairProgram::firstOp + index])
    result.number = static_cast<float>(result.number);
}

void PairEvaluator::moveTo(int64_t query, int64_t key) {
  registers[PairProgram::query].integer = wrapped(query);
  registers[PairProgram::key].integer = wrapped(key);
  if (query != lastQuery)
    for (size_t index : perQuery)
      run(index);
  lastQuery = query;
  for (size_t index : perPair)
    run(index);
}

double PairEvaluator::score(int64_t query, int64_t key, double score) {
  registers[PairProgram::score].number = score;
  moveTo(query, key);
  return registers[pairs.result].number;
}

bool PairEvaluator::holds(int64_t query, int64_t key) {
  moveTo(query, key);
  return registers[pairs.result].integer != 0;
}

} // namespace tercet::reference
