// Evaluates rows in chunks spread over the cores: a single head keeps all of them busy, and a bar can move.
#include "ReferenceExecutor.h"

#include "BlockCounts.h"
#include "Progress.h"

#include "tercet/dialect/reference/Gradients.h"
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
    int64_t chunksPerHead = (call.sizes.tokensQ + chunkRows - 1) / chunkRows;
    int64_t chunks = call.sizes.batch * call.sizes.headsQ * chunksPerHead;
    std::unique_ptr<Progress> progress;
    if (showProgress)
      progress = std::make_unique<Progress>("reference", chunks);

    reference::ClassMap map; // selected once: a scope may span rows of many chunks
    if (selection) {
      Status ran;
      TERCET_TRY(map, reference::selectClasses(spec.info.program, call.arguments, onWorkers(ran)));
      TERCET_RETURN_IF_ERROR(std::move(ran));
    }
    Tensor classes = Tensor::contiguous(map.values.data(), DType::i8, {map.batch, map.heads, map.blocksQ, map.blocksK});

    LaunchReport report;
    Status failed;
    std::mutex mutex;
    TERCET_RETURN_IF_ERROR(workers.run(chunks, [&](int64_t chunk, int) {
      std::vector<reference::RowIndex> rows;
      int64_t head = chunk / chunksPerHead, first = chunk % chunksPerHead * chunkRows;
      for (int64_t row = first; row < std::min(first + chunkRows, call.sizes.tokensQ); ++row)
        rows.push_back({head / call.sizes.headsQ, head % call.sizes.headsQ, row});
      auto evaluation = reference::evaluate(spec.info.program, call.arguments,
                                            {.rows = std::move(rows), .classes = selection ? &classes : nullptr});
      if (evaluation.ok())
        writeRows(*evaluation, outputs.arguments);
      std::lock_guard<std::mutex> lock(mutex);
      if (!evaluation.ok() && failed.ok())
        failed = evaluation.takeStatus();
      if (progress)
        progress->advance();
    }));
    TERCET_RETURN_IF_ERROR(std::move(failed));
    if (selection) {
      countBlocks(classes, call.arguments, selection->blockQ, selection->blockK, report);
      if (const Tensor *asked = outputs.arguments.find("classes"))
        writeClasses(map, *asked);
    }
    auto msSince = [](Clock::time_point start) {
      return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    };
    report.stageMs = {{"reference", msSince(begin)}};
    if (call.arguments.find("do")) {
      Clock::time_point backward = Clock::now();
      Status ran;
      TERCET_RETURN_IF_ERROR(
          reference::runGradients(spec.info.program, call.arguments, outputs.arguments,
                                  {.classes = selection ? &classes : nullptr, .parallelFor = onWorkers(ran)}));
      TERCET_RETURN_IF_ERROR(std::move(ran));
      report.stageMs.emplace_back("gradients", msSince(backward));
    }
    report.totalMs = msSince(begin);
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
  /// Whether all items ran goes to `ran`.
  ParallelFor onWorkers(Status &ran) {
    return [this, &ran](int64_t items, const WorkItem &body) { ran = workers.run(items, body); };
  }

  static void writeRows(const reference::Evaluation &evaluation, const Arguments &outputs) {
    const Tensor *o = outputs.find("o"), *lse = outputs.find("lse");
    int64_t valueDim = evaluation.sizes.valueDim;
    for (size_t slot = 0; slot < evaluation.rows.size(); ++slot) {
      const reference::RowIndex &at = evaluation.rows[slot];
      for (int64_t c = 0; o && c < valueDim; ++c)
        o->set(evaluation.result().o[slot * static_cast<size_t>(valueDim) + static_cast<size_t>(c)], at.batch, at.head,
               at.row, c);
      if (lse)
        lse->set(evaluation.result().lse[slot], at.batch, at.head, at.row);
    }
  }

  static void writeClasses(const reference::ClassMap &map, const Tensor &output) {
    for (int64_t b = 0; b < map.batch; ++b)
      for (int64_t h = 0; h < map.heads; ++h)
        for (int64_t i = 0; i < map.blocksQ; ++i)
          for (int64_t j = 0; j < map.blocksK; ++j)
            output.set(map.at(b, h, i, j), b, h, i, j);
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
