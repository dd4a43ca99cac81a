// The oracle as a backend, and the list of backends.
#include "Backend.h"

#include "SpecSource.h"
#include "tercet/dialect/reference/Evaluate.h"

#include <atomic>
#include <thread>

namespace tercet::test {
namespace {

/// Runs items on `threads` threads, as an embedder's ParallelFor may.
ParallelFor spreadOver(int threads) {
  if (threads <= 1)
    return {};
  return [threads](int64_t count, const auto &body) {
    std::atomic<int64_t> next = 0;
    std::vector<std::thread> workers;
    for (int worker = 0; worker < threads; ++worker)
      workers.emplace_back([&, worker] {
        for (int64_t item = next++; item < count; item = next++)
          body(item, worker);
      });
    for (std::thread &worker : workers)
      worker.join();
  };
}

class ReferenceBackend : public Backend {
public:
  std::string name() const override { return "reference"; }
  Status run(const Spec &spec, const Problem &, const Arguments &inputs, const Arguments &outputs,
             int threads) override {
    return reference::run(programOf(spec), inputs, outputs, spreadOver(threads));
  }
};

} // namespace

const std::vector<Backend *> &backends() {
  static ReferenceBackend reference;
  static const std::vector<Backend *> list = [] {
    std::vector<Backend *> all = {&reference};
    for (Backend *cpu : cpuBackends())
      all.push_back(cpu);
    return all;
  }();
  return list;
}

} // namespace tercet::test
