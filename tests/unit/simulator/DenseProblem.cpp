// Plain loops over rows, once per problem; a run only compares.
#include "unit/simulator/DenseProblem.h"

#include "tercet/Tensor.h"
#include "tercet/sim/TensorMap.h"

#include <cmath>
#include <cstring>
#include <random>

namespace tercet::test {

namespace {

/// The kernel's parameters, one after another: q, k and v as pointer and strides of batch, head and row or as tensor maps; o
/// and lse as pointer and strides; lengths; sizes; the group of heads, here all; scale.
class ParameterList {
public:
  explicit ParameterList(const sim::KernelInfo &kernel) : kernel(kernel), bytes(kernel.parameterBytes) {}

  bool takesMap() const { return next < kernel.parameters.size() && kernel.parameters[next].bytes == 128; }
  template <typename T> void add(const T &value) {
    if (next < kernel.parameters.size() && kernel.parameters[next].bytes == sizeof value)
      std::memcpy(bytes.data() + kernel.parameters[next].offset, &value, sizeof value);
    else
      fits = false;
    ++next;
  }
  bool complete() const { return fits && next == kernel.parameters.size(); }

  const sim::KernelInfo &kernel;
  std::vector<std::byte> bytes;

private:
  size_t next = 0;
  bool fits = true;
};

/// [batch, heads, rows, dim] in boxes of 64 columns and `boxRows` rows, as TensorRing takes them.
sim::TensorMap::Encoded mapOf(uint64_t address, const DenseShape &shape, int64_t heads, int64_t rows,
                              uint32_t boxRows) {
  sim::TensorMap map;
  map.base = address;
  map.rank = 4;
  map.sizes = {uint64_t(shape.dim), uint64_t(rows), uint64_t(heads), uint64_t(shape.batch)};
  uint64_t row = uint64_t(shape.dim) * 2, head = uint64_t(rows) * row;
  map.strideBytes = {row, head, uint64_t(heads) * head};
  map.box = {64, boxRows, 1, 1};
  map.swizzle = sim::TensorMap::Swizzle::bytes128;
  auto encoded = map.encode();
  return encoded.ok() ? *encoded : sim::TensorMap::Encoded{};
}

} // namespace

double DenseProblem::Array::at(int64_t b, int64_t h, int64_t row, int64_t column) const {
  return bfloat16ToFloat(bits[size_t(((b * heads + h) * rows + row) * dim + column)]);
}

DenseProblem::DenseProblem(DenseShape given)
    : shape(std::move(given)), q(make(shape.heads, shape.queries, shape.queryLengths, 1)),
      k(make(shape.keyHeads, shape.keys, shape.keyLengths, 2)),
      v(make(shape.keyHeads, shape.keys, shape.keyLengths, 3)) {
  for (size_t i = 0; i < q.bits.size(); ++i) {
    size_t row = i / size_t(shape.dim);
    if (shape.opposed != 0 && i % size_t(shape.dim) == 0)
      q.bits[i] = floatToBfloat16(shape.opposed);
    if (shape.everyOtherEight && row % 16 < 8)
      q.bits[i] = 0;
  }
  for (size_t i = 0; i < k.bits.size() && shape.opposed != 0; i += size_t(shape.dim))
    k.bits[i] = floatToBfloat16(-shape.opposed);
  attend();
}

DenseProblem::Array DenseProblem::make(int64_t heads, int64_t rows, const std::vector<int32_t> &lengths,
                                       unsigned seed) const {
  Array array{std::vector<uint16_t>(size_t(shape.batch * heads * rows * shape.dim)), heads, rows, shape.dim};
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  for (size_t i = 0; i < array.bits.size(); ++i) {
    int64_t row = int64_t(i) / shape.dim % rows, batch = int64_t(i) / (heads * rows * shape.dim);
    bool live = lengths.empty() || row < lengths[size_t(batch)];
    array.bits[i] = live ? floatToBfloat16(normal(random)) : 0x7fc0;
  }
  return array;
}

void DenseProblem::attend() {
  expected.assign(size_t(shape.batch * shape.heads * shape.queries * shape.dim), 0);
  expectedLse.assign(size_t(shape.batch * shape.heads * shape.queries), -HUGE_VAL);
  for (int64_t b = 0; b < shape.batch; ++b)
    for (int64_t h = 0; h < shape.heads; ++h)
      for (int64_t i = 0; i < shape.queries; ++i)
        attendRow(b, h, i);
}

void DenseProblem::attendRow(int64_t b, int64_t h, int64_t i) {
  int64_t keys = shape.keyLengths.empty() ? shape.keys : shape.keyLengths[size_t(b)];
  int64_t keyHead = h / (shape.heads / shape.keyHeads);
  if (keys == 0 || (!shape.queryLengths.empty() && i >= shape.queryLengths[size_t(b)]))
    return;
  double scale = shape.scale ? shape.scale : 1 / std::sqrt(double(shape.dim));
  std::vector<double> weights(static_cast<size_t>(keys));
  double most = -HUGE_VAL, sum = 0;
  for (int64_t j = 0; j < keys; ++j) {
    double dot = 0;
    bool allowed = !shape.allows || shape.allows(i, j);
    for (int64_t d = 0; d < shape.dim && allowed; ++d)
      dot += q.at(b, h, i, d) * k.at(b, keyHead, j, d);
    weights[size_t(j)] = allowed ? dot * scale : -HUGE_VAL;
    most = std::max(most, weights[size_t(j)]);
  }
  if (most == -HUGE_VAL)
    return;
  for (double &weight : weights)
    sum += weight = std::exp(weight - most);
  size_t row = size_t((b * shape.heads + h) * shape.queries + i);
  expectedLse[row] = most + std::log(sum);
  for (int64_t d = 0; d < shape.dim; ++d)
    for (int64_t j = 0; j < keys; ++j)
      if (weights[size_t(j)] > 0)
        expected[row * size_t(shape.dim) + size_t(d)] += weights[size_t(j)] / sum * v.at(b, keyHead, j, d);
}

Result<DenseOutcome> DenseProblem::run(const sim::Module &module, int64_t sharedBytes, sim::LaunchConfig config) const {
  Array inputs[3] = {q, k, v};
  Array o{std::vector<uint16_t>(q.bits.size(), 0xabcd), shape.heads, shape.queries, shape.dim};
  std::vector<float> lse(expectedLse.size(), -7);
  auto queryLengths = shape.queryLengths, keyLengths = shape.keyLengths;
  sim::Memory memory;
  auto adopt = [&](auto &values, const char *name) {
    return values.empty() ? 0 : memory.adopt(std::as_writable_bytes(std::span(values)), name);
  };
  const sim::KernelInfo *kernel = module.kernel("attend");
  if (!kernel)
    return Status::make(Code::internal, "there is no kernel attend");
  ParameterList list(*kernel);
  bool warpgroups = list.takesMap(); // then 128 rows and keys at a time; else 64
  auto describe = [&](uint64_t address, int64_t heads, int64_t rows, int64_t dim, uint32_t boxRows) {
    if (list.takesMap())
      return list.add(mapOf(address, shape, heads, rows, boxRows));
    for (uint64_t value : {address, uint64_t(heads * rows * dim), uint64_t(rows * dim), uint64_t(dim)})
      list.add(value);
  };
  const char *names[] = {"q", "k", "v"};
  for (int i = 0; i < 3; ++i)
    describe(adopt(inputs[i].bits, names[i]), inputs[i].heads, inputs[i].rows, shape.dim, i == 0 ? 64 : 128);
  describe(adopt(o.bits, "o"), shape.heads, shape.queries, shape.dim, 0);
  describe(adopt(lse, "lse"), shape.heads, shape.queries, 1, 0);
  list.add(uint64_t(adopt(queryLengths, "q_len")));
  list.add(uint64_t(adopt(keyLengths, "k_len")));
  for (int64_t size : {shape.queries, shape.keys, shape.heads / shape.keyHeads, shape.keyHeads, int64_t{0}})
    list.add(uint64_t(size));
  list.add(shape.scale ? shape.scale : 1 / std::sqrt(double(shape.dim)));
  if (!list.complete())
    return Status::make(Code::internal, "the kernel's parameters are not what this test knows");
  uint32_t rowsPerBlock = warpgroups ? 128 : 64;
  config.grid = {uint32_t((shape.queries + rowsPerBlock - 1) / rowsPerBlock), uint32_t(shape.heads * shape.batch), 1};
  config.block = kernel->maxThreads;
  config.dynamicShared = uint32_t(sharedBytes);
  DenseOutcome outcome;
  TERCET_TRY(outcome.report, sim::launch(module, "attend", config, list.bytes, memory));

  double difference = 0, norm = 0;
  for (size_t row = 0; row < lse.size(); ++row) {
    if (expectedLse[row] == -HUGE_VAL) {
      outcome.emptyRows &= lse[row] == -HUGE_VALF;
      for (int64_t d = 0; d < shape.dim; ++d)
        outcome.emptyRows &= (o.bits[row * size_t(shape.dim) + size_t(d)] & 0x7fff) == 0;
      continue;
    }
    double off = std::fabs(expectedLse[row] - lse[row]) / std::max(1.0, std::fabs(expectedLse[row]));
    outcome.largestLse = off > outcome.largestLse || off != off ? off : outcome.largestLse;
    for (int64_t d = 0; d < shape.dim; ++d) {
      double want = expected[row * size_t(shape.dim) + size_t(d)];
      double got = bfloat16ToFloat(o.bits[row * size_t(shape.dim) + size_t(d)]);
      difference += (got - want) * (got - want);
      norm += want * want;
    }
  }
  outcome.error = norm > 0 ? std::sqrt(difference / norm) : std::sqrt(difference);
  return outcome;
}

sim::LaunchConfig adversarial(sim::Landing landing, uint64_t seed) {
  sim::LaunchConfig config;
  config.landing = landing;
  config.seed = seed;
  config.order = sim::WarpOrder::seeded;
  config.quantum = landing == sim::Landing::seeded ? 7 : 60;
  config.checks.races = true;
  return config;
}

} // namespace tercet::test
