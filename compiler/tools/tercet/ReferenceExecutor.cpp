// Evaluates rows in chunks spread over the cores: a single head keeps all of them busy, and a bar can move.
#include "ReferenceExecutor.h"

#include "Progress.h"

#include "tercet/rt/Workers.h"

#include <chrono>
#include <mutex>

namespace tercet::cli {
namespace {

constexpr int64_t chunkRows = 256;

class ReferenceExecutor final : public Executor {
public:
  ReferenceExecutor(const LoadedSpec &spec, bool showProgress) : spec(spec), showProgress(showProgress) {}

  Result<LaunchReport> launch(const CallData &call, const CallOutputs &outputs) override {
    using Clock = std::chrono::steady_clock;
    Clock::time_point begin = Clock::now();
    const std::optional<reference::Selection> &selection = spec.info.program.selection;
    int64_t rowsPerChunk = chunkRows; // whole query blocks, so that a block's classes are written once
    if (selection)
      rowsPerChunk = std::max<int64_t>(1, chunkRows / selection->blockQ) * selection->blockQ;
    int64_t chunksPerHead = (call.sizes.tokensQ + rowsPerChunk - 1) / rowsPerChunk;
    int64_t chunks = call.sizes.batch * call.sizes.headsQ * chunksPerHead;
    std::unique_ptr<Progress> progress;
    if (showProgress)
      progress = std::make_unique<Progress>("reference", chunks);

    reference::ClassMap map; // selected once: a scope may span rows of many chunks
    if (selection) {
      Status ran;
      auto onWorkers = [&](int64_t items, const WorkItem &body) { ran = workers.run(items, body); };
      TERCET_TRY(map, reference::selectClasses(spec.info.program, call.arguments, onWorkers));
      TERCET_RETURN_IF_ERROR(std::move(ran));
    }
    Tensor classes = Tensor::contiguous(map.values.data(), DType::i8, {map.batch, map.heads, map.blocksQ, map.blocksK});

    LaunchReport report;
    Status failed;
    std::mutex mutex;
    TERCET_RETURN_IF_ERROR(workers.run(chunks, [&](int64_t chunk, int) {
      std::vector<reference::RowIndex> rows;
      int64_t head = chunk / chunksPerHead, first = chunk % chunksPerHead * rowsPerChunk;
      for (int64_t row = first; row < std::min(first + rowsPerChunk, call.sizes.tokensQ); ++row)
        rows.push_back({head / call.sizes.headsQ, head % call.sizes.headsQ, row});
      auto evaluation = reference::evaluate(spec.info.program, call.arguments,
                                            {.rows = std::move(rows), .classes = selection ? &classes : nullptr});
      if (evaluation.ok())
        writeRows(*evaluation, outputs.arguments);
      std::lock_guard<std::mutex> lock(mutex);
      if (evaluation.ok())
        countBlocks(*evaluation, call.arguments, report);
      else if (failed.ok())
        failed = evaluation.takeStatus();
      if (progress)
        progress->advance();
    }));
    TERCET_RETURN_IF_ERROR(std::move(failed));
    report.totalMs = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
    report.stageMs = {{"reference", report.totalMs}};
    return report;
  }

  size_t workspaceBytes() const override { return 0; }
  const Artifact *artifact() const override { return nullptr; }
  const TargetModule *module() const override { return nullptr; }
  std::string target() const override { return "reference"; }
  CompileReport compileReport() const override { return {.compileMs = 0, .cache = "off"}; }
  int64_t compileCount() const override { return 0; }
  int threads() const override { return workers.threads(); }

private:
  static void writeRows(const reference::Evaluation &evaluation, const Arguments &outputs) {
    const Tensor *o = outputs.find("o"), *lse = outputs.find("lse"), *classes = outputs.find("classes");
    int64_t valueDim = evaluation.sizes.valueDim;
    for (size_t slot = 0; slot < evaluation.rows.size(); ++slot) {
      const reference::RowIndex &at = evaluation.rows[slot];
      for (int64_t c = 0; o && c < valueDim; ++c)
        o->set(evaluation.result().o[slot * static_cast<size_t>(valueDim) + static_cast<size_t>(c)], at.batch, at.head,
               at.row, c);
      if (lse)
        lse->set(evaluation.result().lse[slot], at.batch, at.head, at.row);
    }
    if (classes)
      forEachBlock(evaluation,
                   [&](int64_t b, int64_t h, int64_t i, int64_t j, int8_t value) { classes->set(value, b, h, i, j); });
  }

  /// Blocks beyond a length are empty and belong to no class.
  void countBlocks(const reference::Evaluation &evaluation, const Arguments &inputs, LaunchReport &report) const {
    const Tensor *qLengths = inputs.find("q_len"), *kLengths = inputs.find("k_len");
    auto isBeyond = [](const Tensor *lengths, int64_t batch, int64_t token) {
      return lengths && static_cast<double>(token) >= lengths->get(batch);
    };
    forEachBlock(evaluation, [&](int64_t b, int64_t, int64_t i, int64_t j, int8_t value) {
      const reference::Selection &selection = *spec.info.program.selection;
      if (isBeyond(qLengths, b, i * selection.blockQ) || isBeyond(kLengths, b, j * selection.blockK))
        return;
      (value > 0 ? report.criticalBlocks : value == 0 ? report.marginalBlocks : report.negligibleBlocks) += 1;
    });
  }

  /// The blocks whose rows were evaluated; all rows of a query block are in one chunk.
  template <typename Visit> static void forEachBlock(const reference::Evaluation &evaluation, Visit visit) {
    const reference::ClassMap &map = evaluation.classes;
    if (map.blocksK == 0)
      return;
    const reference::RowIndex &first = evaluation.rows.front();
    for (int64_t i = 0; i < map.blocksQ; ++i)
      for (int64_t j = 0; j < map.blocksK; ++j)
        if (int8_t value = map.at(first.batch, first.head, i, j); value != reference::ClassMap::notEvaluated)
          visit(first.batch, first.head, i, j, value);
  }

  const LoadedSpec &spec;
  bool showProgress;
  rt::Workers workers{0};
};

} // namespace

Result<std::unique_ptr<Executor>> makeReferenceExecutor(const LoadedSpec &spec, bool showProgress) {
  return std::unique_ptr<Executor>(std::make_unique<ReferenceExecutor>(spec, showProgress));
}

} // namespace tercet::cli
