// Builds the tensors of a case: seeded contents first, then copied into the layout, then poisoned beyond the lengths.
#include "Case.h"

#include "SpecSource.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace tercet::test {
namespace {

using reference::OwnedTensor;

constexpr double infinity = std::numeric_limits<double>::infinity();

template <typename Body> void forEachIndex(const Tensor &tensor, Body body) {
  for (int64_t i0 = 0; i0 < tensor.shape[0]; ++i0)
    for (int64_t i1 = 0; i1 < tensor.shape[1]; ++i1)
      for (int64_t i2 = 0; i2 < tensor.shape[2]; ++i2)
        for (int64_t i3 = 0; i3 < tensor.shape[3]; ++i3)
          body(i0, i1, i2, i3);
}

/// Memory for `like` in a layout, every byte unwritten: NaN in every float dtype.
OwnedTensor inLayout(const Tensor &like, Layout layout) {
  std::vector<int64_t> shape(like.shape.begin(), like.shape.begin() + like.rank);
  int fill = reference::unwrittenByte(like.dtype);
  if (layout == Layout::tokensFirst && like.rank == 4 && like.dtype != DType::i8)
    return OwnedTensor::makeTokensFirst(like.dtype, shape, fill);
  if (layout == Layout::padded && like.rank == 4)
    return OwnedTensor::makeStrided(like.dtype, shape, {0, 1, 2, 5}, fill);
  return OwnedTensor::make(like.dtype, shape, fill);
}

void rewrite(const Tensor &tensor, const std::string &name, const Case &entry, int64_t blockK) {
  forEachIndex(tensor, [&](int64_t b, int64_t h, int64_t t, int64_t c) {
    double value = tensor.get(b, h, t, c);
    if (entry.content == Content::negative && name != "v")
      tensor.set(-std::fabs(value), b, h, t, c);
    if (entry.content == Content::repeated && name != "q")
      tensor.set(tensor.get(b, h, t / blockK * blockK, c), b, h, t, c);
    if (entry.content == Content::ties && name == "q")
      tensor.set(std::round(value * 4) / 4, b, h, t, c);
    if (entry.content == Content::ties && name == "k") // the first token of a pair of blocks stands for both
      tensor.set(std::round(tensor.get(b, h, t / (2 * blockK) * 2 * blockK, c) * 4) / 4, b, h, t, c);
  });
}

void poisonBeyond(const Tensor &tensor, const std::vector<int32_t> &lengths, double value) {
  for (size_t b = 0; b < lengths.size(); ++b)
    for (int64_t h = 0; h < tensor.shape[1]; ++h)
      for (int64_t t = lengths[b]; t < tensor.shape[2]; ++t)
        for (int64_t c = 0; c < tensor.shape[3]; ++c)
          tensor.set((t + c) % 2 ? value : -value, static_cast<int64_t>(b), h, t, c);
}

OwnedTensor makeClasses(const Case &entry, const TableSizes &sizes) {
  bool broadcast = entry.given == Given::broadcast;
  OwnedTensor classes = OwnedTensor::make(
      DType::i8, {broadcast ? 1 : sizes.batch, broadcast ? 1 : sizes.headsQ, sizes.blocksQ, sizes.blocksK});
  reference::RandomStream random(entry.seed, "classes");
  uint64_t index = 0;
  forEachIndex(classes.view(), [&](int64_t b, int64_t h, int64_t i, int64_t j) {
    double u = random.uniform(index++);
    double value = entry.given == Given::allCritical     ? 1
                   : entry.given == Given::allMarginal   ? 0
                   : entry.given == Given::allNegligible ? -1
                   : u < 0.35                            ? 1
                   : u < 0.75                            ? 0
                                                         : -1;
    classes.view().set(value, b, h, i, j);
  });
  return classes;
}

OwnedTensor makeLengths(const std::vector<int32_t> &lengths) {
  OwnedTensor tensor = OwnedTensor::make(DType::i32, {static_cast<int64_t>(lengths.size())});
  for (size_t b = 0; b < lengths.size(); ++b)
    tensor.view().set(lengths[b], static_cast<int64_t>(b));
  return tensor;
}

bool isDropped(Weights weights, int rank) {
  return weights == Weights::absent || (weights == Weights::weightOnly && rank == 1) ||
         (weights == Weights::biasOnly && rank == 2);
}

} // namespace

std::string Case::describe() const {
  reference::Shape s = shape.resolved();
  std::string text =
      fmt::format("{}: {} b={} h={} hkv={} n={} m={} d={} dv={} {} scale {} seed {}", name, spec, s.batch, s.heads,
                  s.headsKV, s.tokensQ, s.tokensK, s.headDim, s.valueDim, dtypeName(dtype), scale, seed);
  for (const auto &[setting, value] : settings)
    text += fmt::format(" {}={}", setting, value);
  for (const auto &[parameter, value] : parameters)
    text += fmt::format(" {}={}", parameter, value);
  if (!queryLengths.empty())
    text += fmt::format(" q_len={}", queryLengths);
  if (!keyLengths.empty())
    text += fmt::format(" k_len={}", keyLengths);
  return text;
}

PreparedCase prepare(const Case &entry) {
  PreparedCase prepared{.spec = specNamed(entry.spec, entry.settings)};
  prepared.program = programOf(prepared.spec);
  reference::Shape shape = entry.shape.resolved();
  shape.parameters = entry.parameters;
  prepared.problem = {.headDim = shape.headDim, .valueDim = shape.valueDim, .dtype = entry.dtype};
  reference::DataOptions options{.seed = entry.seed,
                                 .dtype = entry.dtype,
                                 .scale = entry.scale,
                                 .structure = entry.content == Content::clustered ? 0.8 : 0,
                                 .weightScale = entry.weights == Weights::large ? 16.0 : 1.0};
  const auto &selection = prepared.program.selection;
  reference::Data plain = reference::makeData(prepared.program, shape, options);
  for (auto &[name, tensor] : plain.tensors) {
    const Tensor &from = tensor.view();
    if (from.rank != 4) {
      const auto &weights = prepared.program.weights;
      bool isWeight = std::find(weights.begin(), weights.end(), name) != weights.end();
      if (!isWeight || !isDropped(entry.weights, from.rank))
        prepared.inputs.tensors.emplace_back(name, std::move(tensor));
      continue;
    }
    rewrite(from, name, entry, selection ? selection->blockK : 16);
    OwnedTensor to = inLayout(from, entry.layout);
    forEachIndex(from,
                 [&](int64_t b, int64_t h, int64_t t, int64_t c) { to.view().set(from.get(b, h, t, c), b, h, t, c); });
    bool isTokens = name == "q" || name == "k" || name == "v";
    if (entry.poison && isTokens)
      poisonBeyond(to.view(), name == "q" ? entry.queryLengths : entry.keyLengths, name == "v" ? infinity : NAN);
    prepared.inputs.tensors.emplace_back(name, std::move(to));
  }
  if (!entry.queryLengths.empty())
    prepared.inputs.tensors.emplace_back("q_len", makeLengths(entry.queryLengths));
  if (!entry.keyLengths.empty())
    prepared.inputs.tensors.emplace_back("k_len", makeLengths(entry.keyLengths));
  if (entry.given != Given::none)
    prepared.inputs.tensors.emplace_back("classes", makeClasses(entry, shape.forTables(prepared.program)));
  reference::Data outputs = reference::makeOutputs(prepared.program, shape, entry.dtype);
  for (auto &[name, tensor] : outputs.tensors)
    prepared.outputs.tensors.emplace_back(name, inLayout(tensor.view(), entry.layout));
  prepared.arguments = prepared.inputs.arguments();
  prepared.arguments.parameters = entry.parameters;
  return prepared;
}

reference::CheckOptions checkOptions(const Case &entry) {
  return {.inputScale = entry.scale, .exactTies = entry.content == Content::ties};
}

std::string findFault(const PreparedCase &prepared, const Case &entry, DType probabilities) {
  reference::CheckOptions options = checkOptions(entry);
  options.probabilities = probabilities;
  auto verdict = reference::checkOutputs(prepared.program, prepared.arguments, prepared.outputs.arguments(), options);
  if (!verdict.ok())
    return verdict.status().message();
  return verdict->passed ? "" : reference::describe(*verdict);
}

} // namespace tercet::test
