// Which rows: the first and last of every head, where masks and ragged blocks go wrong, and random ones.
#include "OracleCheck.h"

#include <set>

namespace tercet::cli {
namespace {

/// Multiply-adds that the oracle may spend on one comparison; beyond it a seeded subset of rows is compared.
constexpr double oracleBudget = 4e8;

std::optional<std::vector<reference::RowIndex>> chooseRows(const reference::CallSizes &sizes, int64_t limit,
                                                           uint64_t seed) {
  double perRow = static_cast<double>(sizes.tokensK) * static_cast<double>(sizes.headDim + sizes.valueDim);
  int64_t heads = sizes.batch * sizes.headsQ, all = heads * sizes.tokensQ;
  int64_t wanted = limit > 0 ? limit : std::max<int64_t>(64, static_cast<int64_t>(oracleBudget / perRow));
  if (wanted >= all)
    return std::nullopt;
  reference::RandomStream random(seed, "check-rows");
  std::set<int64_t> chosen;
  for (int64_t head = 0; head < heads && static_cast<int64_t>(chosen.size()) < wanted; ++head)
    chosen.insert({head * sizes.tokensQ, (head + 1) * sizes.tokensQ - 1});
  for (uint64_t draw = 0; static_cast<int64_t>(chosen.size()) < wanted; ++draw)
    chosen.insert(std::min(all - 1, static_cast<int64_t>(random.uniform(draw) * static_cast<double>(all))));
  std::vector<reference::RowIndex> rows;
  for (int64_t index : chosen)
    rows.push_back({index / sizes.tokensQ / sizes.headsQ, index / sizes.tokensQ % sizes.headsQ, index % sizes.tokensQ});
  return rows;
}

reference::Verdict joined(reference::Verdict verdict, reference::Verdict more) {
  if (verdict.passed)
    verdict.reason = std::move(more.reason);
  verdict.passed = verdict.passed && more.passed;
  std::move(more.outputs.begin(), more.outputs.end(), std::back_inserter(verdict.outputs));
  return verdict;
}

} // namespace

Result<reference::Verdict> OracleCheck::compare(const LoadedSpec &spec, const CallData &call, const Arguments &outputs,
                                                const OracleRequest &request) {
  reference::CheckOptions check;
  check.inputScale = request.inputScale;
  check.rows = chooseRows(call.sizes, request.rowLimit, request.seed);
  rows =
      check.rows ? static_cast<int64_t>(check.rows->size()) : call.sizes.batch * call.sizes.headsQ * call.sizes.tokensQ;
  check.parallelFor = [this](int64_t count, const WorkItem &body) {
    Status ran = workers.run(count, body);
    TERCET_CHECK(ran.ok(), "the pool's own threads run every item");
  };
  check.probabilities = request.probabilities;
  TERCET_TRY(reference::Verdict verdict, reference::checkOutputs(spec.info.program, call.arguments, outputs, check));
  if (!request.withGradient)
    return verdict;
  TERCET_TRY(reference::Verdict ofGradients,
             reference::checkGradients(spec.info.program, call.arguments, outputs, check));
  return joined(std::move(verdict), std::move(ofGradients));
}

} // namespace tercet::cli
