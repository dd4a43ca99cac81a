// Plain loops over rows, once per problem; a run only compares.
#include "unit/simulator/DenseProblem.h"

#include "tercet/Tensor.h"

#include <cmath>
#include <random>

namespace tercet::test {

namespace {

/// The kernel's parameters: pointer, strides of batch, head and row for q, k, v, o and lse; lengths; sizes; the group of
/// heads, here all; scale.
struct Parameters {
  uint64_t tensors[5][4];
  uint64_t queryLengths, keyLengths;
  uint64_t queries, keys, headsPerKeyHead, keyHeads, firstPair;
  double scale;
};

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
    for (int64_t d = 0; d < shape.dim; ++d)
      dot += q.at(b, h, i, d) * k.at(b, keyHead, j, d);
    weights[size_t(j)] = dot * scale;
    most = std::max(most, weights[size_t(j)]);
  }
  for (double &weight : weights)
    sum += weight = std::exp(weight - most);
  size_t row = size_t((b * shape.heads + h) * shape.queries + i);
  expectedLse[row] = most + std::log(sum);
  for (int64_t d = 0; d < shape.dim; ++d)
    for (int64_t j = 0; j < keys; ++j)
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
  Parameters p{};
  auto describe = [&](int number, uint64_t address, int64_t heads, int64_t rows, int64_t dim) {
    uint64_t strides[4] = {address, uint64_t(heads * rows * dim), uint64_t(rows * dim), uint64_t(dim)};
    std::copy(strides, strides + 4, p.tensors[number]);
  };
  const char *names[] = {"q", "k", "v"};
  for (int i = 0; i < 3; ++i)
    describe(i, adopt(inputs[i].bits, names[i]), inputs[i].heads, inputs[i].rows, shape.dim);
  describe(3, adopt(o.bits, "o"), shape.heads, shape.queries, shape.dim);
  describe(4, adopt(lse, "lse"), shape.heads, shape.queries, 1);
  p.queryLengths = adopt(queryLengths, "q_len");
  p.keyLengths = adopt(keyLengths, "k_len");
  p.queries = uint64_t(shape.queries);
  p.keys = uint64_t(shape.keys);
  p.headsPerKeyHead = uint64_t(shape.heads / shape.keyHeads);
  p.keyHeads = uint64_t(shape.keyHeads);
  p.scale = shape.scale ? shape.scale : 1 / std::sqrt(double(shape.dim));

  const sim::KernelInfo *kernel = module.kernel("attend");
  if (!kernel || kernel->parameterBytes != sizeof p)
    return Status::make(Code::internal, "the kernel's parameters are not what this test knows");
  config.grid = {uint32_t((shape.queries + 63) / 64), uint32_t(shape.heads * shape.batch), 1};
  config.block = kernel->maxThreads;
  config.dynamicShared = uint32_t(sharedBytes);
  DenseOutcome outcome;
  TERCET_TRY(outcome.report, sim::launch(module, "attend", config, std::as_bytes(std::span(&p, 1)), memory));

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
