// A map that keeps every block must cost what dense costs: lists, masks and selection included.
#include "Suites.h"
#include "Workload.h"

#include <fmt/core.h>

#include <thread>

namespace tercet::bench {

ResultFile fullSuite(const SuiteOptions &options) {
  ResultFile results("full", options.command);
  int all = static_cast<int>(std::thread::hardware_concurrency());
  for (int64_t headDim : {64, 128}) {
    Shape shape;
    shape.tokens = options.quick ? 1024 : 4096;
    shape.headDim = headDim;
    Workload workload(shape);
    auto session = makeSession(all);
    Call dense(*session, workload, "dense");
    Call topk(*session, workload, "sparse_topk", {{"keep", 1.0}});
    Call sla(*session, workload, "sla", {{"keep", 1.0}, {"drop", 0.0}});
    RepeatOptions repeat;
    repeat.repetitions = options.repetitions(21);
    repeat.threads = all;
    std::vector<Series> series = interleave({[&] { dense(); }, [&] { topk(); }, [&] { sla(); }}, repeat);
    const std::string names[] = {"dense", "sparse_topk, keep 100 %", "sla, keep 100 %"};
    for (size_t i = 1; i < series.size(); ++i) {
      std::vector<double> ratio;
      for (size_t round = 0; round < series[i].seconds.size(); ++round)
        ratio.push_back(series[i].seconds[round] / series[0].seconds[round]);
      results.add({fmt::format("{}: {}, {} threads", names[i], shape.text(), all), "time against dense", ratio,
                   series[i].retaken, series[i].disturbed, options.atMost(1.03), ""});
    }
  }
  return results;
}

} // namespace tercet::bench
