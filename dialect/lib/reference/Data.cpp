// Seeded inputs. Random numbers are the finalizer of SplitMix64 (Steele, Lea, Flood 2014) over a counter.
#include "tercet/dialect/reference/Data.h"

#include "tercet/dialect/reference/Elements.h"
#include "tercet/dialect/reference/Evaluate.h"

#include <array>
#include <cmath>
#include <cstring>
#include <new>
#include <numbers>

namespace tercet::reference {
namespace {

uint64_t mix(uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

/// Entries of an axis that names nothing, and segments of an integer table along tokens.
constexpr int64_t anyExtent = 16, segments = 8;

/// Tokens in runs of this length share a direction, of this many.
constexpr int64_t clusterTokens = 64, clusterCount = 16;

void fillTokens(const Tensor &tensor, std::string_view name, const DataOptions &options) {
  bool isValue = name == "v";
  RandomStream noise(options.seed, name), clusters(options.seed, "clusters"), order(options.seed, "order");
  double structure = isValue ? 0 : options.structure, rest = std::sqrt(1 - structure * structure);
  forEachElement(tensor, [&](uint64_t index, int64_t i0, int64_t i1, int64_t token, int64_t feature) {
    double value = rest * noise.normal(index);
    if (structure > 0) {
      auto cluster = static_cast<uint64_t>(order.uniform(token / clusterTokens) * clusterCount);
      value += structure * clusters.normal(cluster * tensor.shape[3] + feature);
    }
    tensor.set(isValue ? value + options.valueMean : value * options.scale, i0, i1, token, feature);
  });
}

void fillNormals(const Tensor &tensor, std::string_view name, const DataOptions &options) {
  RandomStream noise(options.seed, name);
  forEachElement(tensor, [&](uint64_t index, int64_t i0, int64_t i1, int64_t i2, int64_t i3) {
    tensor.set(noise.normal(index), i0, i1, i2, i3);
  });
}

void fillWeight(const Tensor &tensor, std::string_view name, const DataOptions &options) {
  RandomStream noise(options.seed, name);
  double deviation = tensor.rank == 2 ? 1 / std::sqrt(static_cast<double>(tensor.shape[1])) : 1;
  forEachElement(tensor, [&](uint64_t index, int64_t i0, int64_t i1, int64_t, int64_t) {
    tensor.set(noise.normal(index) * deviation * options.weightScale, i0, i1);
  });
}

/// Amounts from half to one and a half of keep, within its range.
void fillBudgets(const Tensor &tensor, const Selection &selection, const DataOptions &options) {
  RandomStream random(options.seed, selection.budgets);
  for (int64_t head = 0; head < tensor.shape[0]; ++head) {
    double amount = selection.keep.value * (0.5 + random.uniform(static_cast<uint64_t>(head)));
    tensor.set(selection.keepUnit == KeepUnit::count ? std::round(amount) : std::min(amount, 1.0), head);
  }
}

/// The slopes of ALiBi (arXiv 2108.12409): powers of two from 2^-8 to 1, which biases by distance and gates can bear.
void fillSlopes(const Tensor &tensor) {
  for (int64_t head = 0; head < tensor.shape[0]; ++head)
    tensor.set(std::exp2(std::floor(-8.0 * static_cast<double>(head + 1) / static_cast<double>(tensor.shape[0]))),
               head);
}

/// Every branch in turn, then none.
void fillChoice(const Tensor &tensor, int64_t branches) {
  for (int64_t head = 0; head < tensor.shape[0]; ++head)
    tensor.set(static_cast<double>(head % (branches + 1)), head);
}

/// Normals; integers are segments: in order along a last axis of tokens, at random elsewhere.
void fillTable(const Tensor &tensor, const Program &program, const Table &table, const DataOptions &options) {
  if (program.selection && program.selection->budgets == table.name)
    return fillBudgets(tensor, *program.selection, options);
  for (const Branch &branch : program.branches)
    if (branch.choice == table.name)
      return fillChoice(tensor, static_cast<int64_t>(branch.inputs.size()));
  bool isPerHead = table.axes == std::vector{static_cast<int64_t>(TableAxis::head)} ||
                   table.axes == std::vector{static_cast<int64_t>(TableAxis::kvHead)};
  if (isPerHead && table.dtype == DType::f32)
    return fillSlopes(tensor);
  RandomStream noise(options.seed, table.name);
  auto last = static_cast<TableAxis>(table.axes.back());
  bool ordered = last == TableAxis::query || last == TableAxis::key;
  size_t axis = table.axes.size() - 1;
  forEachElement(tensor, [&](uint64_t index, int64_t i0, int64_t i1, int64_t i2, int64_t i3) {
    double value = noise.normal(index);
    if (table.dtype == DType::i32) {
      int64_t position = std::array{i0, i1, i2, i3}[axis];
      value = ordered ? static_cast<double>(position * segments / tensor.shape[axis])
                      : std::floor(noise.uniform(index) * static_cast<double>(segments));
    }
    tensor.set(value, i0, i1, i2, i3);
  });
}

} // namespace

RandomStream::RandomStream(uint64_t seed, std::string_view name) : key(mix(seed)) {
  for (char letter : name)
    key = mix(key ^ static_cast<unsigned char>(letter));
}

double RandomStream::uniform(uint64_t index) const {
  return (static_cast<double>(mix(key ^ mix(index)) >> 11) + 0.5) * 0x1p-53;
}

double RandomStream::normal(uint64_t index) const {
  double radius = std::sqrt(-2 * std::log(uniform(2 * index)));
  return radius * std::cos(2 * std::numbers::pi * uniform(2 * index + 1));
}

void OwnedTensor::Release::operator()(std::byte *memory) const { ::operator delete[](memory, std::align_val_t(64)); }

OwnedTensor OwnedTensor::make(DType dtype, std::vector<int64_t> shape, int fill) {
  return makeStrided(dtype, std::move(shape), {}, fill);
}

OwnedTensor OwnedTensor::makeStrided(DType dtype, std::vector<int64_t> shape, std::vector<int64_t> padding, int fill) {
  padding.resize(shape.size(), 0);
  OwnedTensor owned;
  owned.tensor.dtype = dtype;
  owned.tensor.rank = static_cast<int>(shape.size());
  int64_t stride = 1;
  for (int axis = owned.tensor.rank - 1; axis >= 0; --axis) {
    owned.tensor.shape[axis] = shape[axis];
    owned.tensor.strides[axis] = stride;
    stride *= shape[axis] + padding[axis];
  }
  owned.size = static_cast<size_t>(stride) * dtypeSize(dtype);
  owned.memory.reset(new (std::align_val_t(64)) std::byte[owned.size]);
  std::memset(owned.memory.get(), fill, owned.size);
  owned.tensor.data = owned.memory.get();
  return owned;
}

OwnedTensor OwnedTensor::makeTokensFirst(DType dtype, std::vector<int64_t> shape, int fill) {
  OwnedTensor owned = make(dtype, {shape[0], shape[2], shape[1], shape[3]}, fill);
  std::swap(owned.tensor.shape[1], owned.tensor.shape[2]);
  std::swap(owned.tensor.strides[1], owned.tensor.strides[2]);
  return owned;
}

Shape Shape::resolved() const {
  Shape shape = *this;
  shape.headsKV = headsKV ? headsKV : heads;
  shape.tokensK = tokensK ? tokensK : tokensQ;
  shape.valueDim = valueDim ? valueDim : headDim;
  return shape;
}

Arguments Data::arguments() const {
  Arguments arguments;
  for (const auto &[name, tensor] : tensors)
    arguments.tensors.emplace_back(name, tensor.view());
  return arguments;
}

const Tensor &Data::operator[](std::string_view name) const {
  for (const auto &[tensorName, tensor] : tensors)
    if (tensorName == name)
      return tensor.view();
  TERCET_CHECK(false, "Data holds no tensor of this name");
}

TableSizes Shape::forTables(const Program &program) const {
  TableSizes sizes{batch, heads, headsKV, tokensQ, tokensK, valueDim};
  if (!program.selection)
    return sizes;
  std::optional<TokenOrder> order;
  if (program.order)
    order = program.order->sized(parameters);
  return sizes.inBlocks(program.selection->blockQ, program.selection->blockK, order);
}

std::vector<int64_t> tableShape(const Table &table, const TableSizes &sizes) {
  std::vector<int64_t> shape;
  for (int64_t axis : table.axes)
    shape.push_back(tableExtent(axis, sizes) ? tableExtent(axis, sizes) : anyExtent);
  return shape;
}

Data makeData(const Program &program, const Shape &given, const DataOptions &options) {
  Shape shape = given.resolved();
  Data data;
  auto add = [&](std::string name, DType dtype, std::vector<int64_t> extents) {
    data.tensors.emplace_back(std::move(name), OwnedTensor::make(dtype, std::move(extents)));
    return data.tensors.back().second.view();
  };
  fillTokens(add("q", options.dtype, {shape.batch, shape.heads, shape.tokensQ, shape.headDim}), "q", options);
  fillTokens(add("k", options.dtype, {shape.batch, shape.headsKV, shape.tokensK, shape.headDim}), "k", options);
  fillTokens(add("v", options.dtype, {shape.batch, shape.headsKV, shape.tokensK, shape.valueDim}), "v", options);
  for (const Branch &branch : program.branches) {
    if (!branch.weight.empty())
      fillWeight(add(branch.weight, DType::f32, {shape.valueDim, shape.valueDim}), branch.weight, options);
    if (!branch.bias.empty())
      fillWeight(add(branch.bias, DType::f32, {shape.valueDim}), branch.bias, options);
  }
  for (const Table &table : program.tables)
    fillTable(add(table.name, table.dtype, tableShape(table, shape.forTables(program))), program, table, options);
  if (options.withGradient)
    fillNormals(add("do", options.dtype, {shape.batch, shape.heads, shape.tokensQ, shape.valueDim}), "do", options);
  return data;
}

int unwrittenByte(DType dtype) { return dtype == DType::i8 ? 0x55 : 0xff; }

Data makeOutputs(const Program &program, const Shape &given, DType dtype) {
  Shape shape = given.resolved();
  Data data;
  auto add = [&](std::string name, DType type, std::vector<int64_t> extents) {
    data.tensors.emplace_back(std::move(name), OwnedTensor::make(type, std::move(extents), unwrittenByte(type)));
  };
  add("o", dtype, {shape.batch, shape.heads, shape.tokensQ, shape.valueDim});
  if (program.hasLse(program.output))
    add("lse", DType::f32, {shape.batch, shape.heads, shape.tokensQ});
  if (TableSizes sizes = shape.forTables(program); program.selection)
    add("classes", DType::i8, {shape.batch, shape.heads, sizes.blocksQ, sizes.blocksK});
  return data;
}

} // namespace tercet::reference
