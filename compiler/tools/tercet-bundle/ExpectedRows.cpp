#include "ExpectedRows.h"

#include "tercet/rt/Workers.h"

#include <set>

namespace tercet::bundle {
namespace {

using reference::OwnedTensor;
using reference::RowIndex;

constexpr int64_t mostRows = 256;

OwnedTensor lengthsOf(const std::vector<int32_t> &lengths) {
  OwnedTensor tensor = OwnedTensor::make(DType::i32, {static_cast<int64_t>(lengths.size())});
  for (size_t b = 0; b < lengths.size(); ++b)
    tensor.view().set(lengths[b], static_cast<int64_t>(b));
  return tensor;
}

/// Rows that exist: those beyond a query length are nobody's to write.
std::vector<RowIndex> chooseRows(const Case &entry) {
  const reference::Shape &shape = entry.shape;
  std::vector<RowIndex> rows;
  int64_t heads = shape.batch * shape.heads, perHead = std::max<int64_t>(2, mostRows / heads);
  for (int64_t head = 0; head < heads; ++head) {
    int64_t batch = head / shape.heads;
    int64_t live = entry.queryLengths.empty() ? shape.tokensQ : entry.queryLengths[static_cast<size_t>(batch)];
    std::set<int64_t> chosen;
    for (int64_t i = 0; i < std::min(perHead, live); ++i)
      chosen.insert(live <= perHead ? i : i * (live - 1) / (perHead - 1));
    for (int64_t row : chosen)
      rows.push_back({batch, head % shape.heads, row});
  }
  return rows;
}

} // namespace

Result<ExpectedRows> expectRows(const compiler::SpecInfo &spec, const Case &entry) {
  ExpectedRows expected;
  expected.inputs = reference::makeData(
      spec.program, entry.shape, {.seed = 1, .dtype = entry.program.dtype, .scale = entry.scale, .structure = 0.6});
  if (!entry.queryLengths.empty())
    expected.inputs.tensors.emplace_back("q_len", lengthsOf(entry.queryLengths));
  if (!entry.keyLengths.empty())
    expected.inputs.tensors.emplace_back("k_len", lengthsOf(entry.keyLengths));
  Arguments arguments = expected.inputs.arguments();
  arguments.parameters = entry.parameters;

  rt::Workers workers(0);
  ParallelFor parallelFor = [&](int64_t count, const WorkItem &body) {
    TERCET_CHECK(workers.run(count, body).ok(), "the pool's own threads run every item");
  };
  reference::Data outputs = reference::makeOutputs(spec.program, entry.shape, entry.program.dtype);
  TERCET_RETURN_IF_ERROR(reference::run(spec.program, arguments, outputs.arguments(), parallelFor));
  std::vector<RowIndex> rows = chooseRows(entry);
  TERCET_TRY(reference::Verdict verdict,
             reference::checkOutputs(spec.program, arguments, outputs.arguments(),
                                     {.inputScale = entry.scale, .rows = rows, .parallelFor = parallelFor}));
  if (!verdict.passed)
    return Status::make(Code::internal, "the oracle disagrees with itself on {}: {}", entry.name, verdict.reason);
  expected.bounds = std::move(verdict.outputs);
  TERCET_TRY(reference::Evaluation right,
             reference::evaluate(spec.program, arguments, {.rows = rows, .parallelFor = parallelFor}));

  auto add = [&](const char *name, OwnedTensor tensor) {
    expected.tensors.emplace_back(name, tensor.view());
    expected.made.push_back(std::move(tensor));
  };
  for (const auto &[name, tensor] : expected.inputs.tensors) {
    expected.tensors.emplace_back(name, tensor.view());
    expected.inputNames.push_back(name);
  }
  int64_t count = static_cast<int64_t>(rows.size()), valueDim = entry.shape.valueDim;
  OwnedTensor indices = OwnedTensor::make(DType::i32, {count, 3}), o = OwnedTensor::make(DType::f32, {count, valueDim}),
              lse = OwnedTensor::make(DType::f32, {count});
  for (int64_t slot = 0; slot < count; ++slot) {
    const RowIndex &at = rows[static_cast<size_t>(slot)];
    indices.view().set(static_cast<double>(at.batch), slot, 0);
    indices.view().set(static_cast<double>(at.head), slot, 1);
    indices.view().set(static_cast<double>(at.row), slot, 2);
    for (int64_t c = 0; c < valueDim; ++c)
      o.view().set(right.result().o[static_cast<size_t>(slot * valueDim + c)], slot, c);
    if (!right.result().lse.empty())
      lse.view().set(right.result().lse[static_cast<size_t>(slot)], slot);
  }
  add("expected_rows", std::move(indices));
  add("expected_o", std::move(o));
  if (expected.bounds.size() > 1)
    add("expected_lse", std::move(lse));
  expected.hasClasses = spec.classifies();
  for (auto &[name, tensor] : outputs.tensors)
    if (name == "classes")
      add("expected_classes", std::move(tensor));
  return expected;
}

} // namespace tercet::bundle
