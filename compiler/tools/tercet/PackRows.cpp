#include "PackRows.h"

#include "SeededCall.h"

#include "tercet/dialect/reference/Contract.h"
#include "tercet/dialect/reference/Data.h"
#include "tercet/rt/Workers.h"

#include <cstring>
#include <set>

namespace tercet::cli {
namespace {

using reference::RowIndex;

constexpr int64_t mostRows = 64;

std::vector<RowIndex> spreadRows(const tune::Pack &pack) {
  std::vector<RowIndex> rows;
  const int64_t heads = pack.batch * pack.heads, perHead = std::max<int64_t>(2, mostRows / heads);
  for (int64_t head = 0; head < heads; ++head) {
    std::set<int64_t> chosen;
    for (int64_t i = 0; i < perHead; ++i)
      chosen.insert(i * (pack.queries - 1) / (perHead - 1));
    for (int64_t row : chosen)
      rows.push_back({head / pack.heads, head % pack.heads, row});
  }
  return rows;
}

template <typename Value>
tune::ExpectedTensor expectedTensor(const char *name, DType dtype, std::vector<int64_t> shape,
                                    const std::vector<Value> &values) {
  tune::ExpectedTensor tensor{name, dtype, std::move(shape), std::vector<uint8_t>(values.size() * sizeof(Value))};
  std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

/// Outputs that hold what is right at these rows, for the contract to bound.
reference::Data rightOutputs(const LoadedSpec &spec, const reference::Evaluation &right, DType dtype) {
  const reference::CallSizes &sizes = right.sizes;
  reference::Shape shape{sizes.batch,   sizes.headsQ,  sizes.headsKV,  sizes.tokensQ,
                         sizes.tokensK, sizes.headDim, sizes.valueDim, spec.runtimeSettings};
  reference::Data outputs = reference::makeOutputs(spec.info.program, shape, dtype);
  for (auto &[name, tensor] : outputs.tensors) {
    const Tensor &view = tensor.view();
    if (name == "classes") {
      std::memcpy(view.data, right.classes.values.data(), right.classes.values.size());
      continue;
    }
    for (size_t slot = 0; slot < right.rows.size(); ++slot) {
      const RowIndex &at = right.rows[slot];
      if (name == "lse")
        view.set(right.result().lse[slot], at.batch, at.head, at.row);
      for (int64_t c = 0; name == "o" && c < sizes.valueDim; ++c)
        view.set(right.result().o[slot * static_cast<size_t>(sizes.valueDim) + static_cast<size_t>(c)], at.batch,
                 at.head, at.row, c);
    }
  }
  return outputs;
}

/// The class rows of the blocks of these rows; kept: the share of critical ones among all.
void addClasses(const LoadedSpec &spec, const reference::Evaluation &right, tune::Pack &pack) {
  const reference::ClassMap &map = right.classes;
  const int64_t blockQ = spec.info.program.selection->blockQ;
  std::vector<int8_t> rows;
  int64_t critical = 0;
  for (const RowIndex &at : right.rows)
    for (int64_t block = 0; block < map.blocksK; ++block) {
      rows.push_back(map.at(at.batch, at.head, at.row / blockQ, block));
      critical += rows.back() > 0;
    }
  pack.kept = static_cast<double>(critical) / static_cast<double>(rows.size());
  pack.expected.push_back(
      expectedTensor("classes", DType::i8, {static_cast<int64_t>(right.rows.size()), map.blocksK}, rows));
}

} // namespace

Status expectRows(const LoadedSpec &spec, const Artifact &artifact, tune::Pack &pack) {
  const reference::Program &program = spec.info.program;
  run::SeededCall call =
      run::makeSeededCall(artifact, {pack.batch, pack.heads, pack.headsKV, pack.queries, pack.keys}, pack.parameters);
  rt::Workers workers(0);
  ParallelFor parallelFor = [&](int64_t count, const WorkItem &body) {
    TERCET_CHECK(workers.run(count, body).ok(), "the pool's own threads run every item");
  };
  TERCET_TRY(reference::Evaluation right,
             reference::evaluate(program, call.arguments, {.rows = spreadRows(pack), .parallelFor = parallelFor}));
  reference::Data outputs = rightOutputs(spec, right, artifact.dtype);
  reference::CheckOptions check{.rows = right.rows, .parallelFor = parallelFor};
  if (artifact.modules.front().isGpu()) // matrix units take P in the compute dtype
    check.probabilities = artifact.dtype;
  TERCET_TRY(reference::Verdict verdict, reference::checkOutputs(program, call.arguments, outputs.arguments(), check));
  if (!verdict.passed)
    return Status::make(Code::internal, "the oracle disagrees with itself on {}: {}", spec.info.name, verdict.reason);

  const int64_t count = static_cast<int64_t>(right.rows.size());
  std::vector<int32_t> rows;
  for (const RowIndex &at : right.rows)
    rows.insert(rows.end(),
                {static_cast<int32_t>(at.batch), static_cast<int32_t>(at.head), static_cast<int32_t>(at.row)});
  const std::vector<double> &o = right.result().o, &lse = right.result().lse;
  pack.expected.push_back(expectedTensor("rows", DType::i32, {count, 3}, rows));
  pack.expected.push_back(
      expectedTensor("o", DType::f32, {count, right.sizes.valueDim}, std::vector<float>(o.begin(), o.end())));
  for (const reference::OutputVerdict &output : verdict.outputs) {
    tune::ErrorBounds bounds{output.relativeL2.bound, output.maxError.bound, output.meanError.bound};
    if (output.name == "o")
      pack.o = bounds;
    if (output.name == "lse") {
      pack.lse = bounds;
      pack.expected.push_back(expectedTensor("lse", DType::f32, {count}, std::vector<float>(lse.begin(), lse.end())));
    }
  }
  if (program.selection)
    addClasses(spec, right, pack);
  return {};
}

} // namespace tercet::cli
