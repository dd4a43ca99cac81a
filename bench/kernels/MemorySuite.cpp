// Workspace is what a call needs beyond inputs and outputs; asked of the kernel, not measured, so it is exact.
#include "Suites.h"
#include "Workload.h"

#include <fmt/core.h>

namespace tercet::bench {

ResultFile memorySuite(const SuiteOptions &options) {
  ResultFile results("memory", options.command);
  auto session = makeSession(0);
  for (const char *spec : {"dense", "sla", "sla_all", "block_mean"})
    for (int64_t tokens : {4096, 32760})
      for (int64_t heads : {1, 4}) {
        if (options.quick && tokens > 4096)
          continue;
        Shape shape;
        shape.heads = heads;
        shape.tokens = tokens;
        shape.headDim = 128;
        Workload workload(shape);
        Call call(*session, workload, spec);
        double keyBytes = 4.0 * static_cast<double>(heads * tokens * shape.headDim);
        results.add({fmt::format("{}: {}, {} threads", spec, shape.text(), session->threads()),
                     "workspace, times the bytes of K",
                     {static_cast<double>(call.workspaceBytes()) / keyBytes},
                     0,
                     0,
                     {},
                     ""});
      }
  return results;
}

} // namespace tercet::bench
