// A map that keeps every block must cost what dense costs: lists, masks and selection included. The linear branch of
// sla then has nothing to add but still forms its states, some d / tokens of the work: seen at 4096 tokens, not judged
// there.
#include "Suites.h"
#include "Workload.h"

#include <fmt/core.h>

#include <thread>

namespace tercet::bench {

static void fullCase(ResultFile &results, const SuiteOptions &options, const Shape &shape, int repetitions,
                     bool judgeSla) {
  int all = static_cast<int>(std::thread::hardware_concurrency());
  Workload workload(shape);
  auto session = makeSession(all);
  Call dense(*session, workload, "dense");
  Call topk(*session, workload, "sparse_topk", {{"keep", 1.0}});
  Call sla(*session, workload, "sla", {{"keep", 1.0}, {"drop", 0.0}});
  RepeatOptions repeat;
  repeat.repetitions = options.repetitions(repetitions);
  repeat.threads = all;
  std::vector<Series> series = interleave({[&] { dense(); }, [&] { topk(); }, [&] { sla(); }}, repeat);
  const std::string names[] = {"dense", "sparse_topk, keep 100 %", "sla, keep 100 %"};
  for (size_t i = 1; i < series.size(); ++i) {
    std::vector<double> ratio;
    for (size_t round = 0; round < series[i].seconds.size(); ++round)
      ratio.push_back(series[i].seconds[round] / series[0].seconds[round]);
    std::optional<Bar> bar = i == 1 || judgeSla ? options.atMost(1.03) : std::nullopt;
    results.add({fmt::format("{}: {}, {} threads", names[i], shape.text(), all), "time against dense", ratio,
                 series[i].retaken, series[i].disturbed, bar, ""});
  }
}

ResultFile fullSuite(const SuiteOptions &options) {
  ResultFile results("full", options.command);
  Shape shape;
  for (int64_t headDim : {64, 128}) {
    shape.tokens = options.quick ? 1024 : 4096;
    shape.headDim = headDim;
    fullCase(results, options, shape, 21, false);
  }
  shape.tokens = options.quick ? 2048 : 32760;
  shape.heads = 1;
  fullCase(results, options, shape, 7, true);
  return results;
}

} // namespace tercet::bench
