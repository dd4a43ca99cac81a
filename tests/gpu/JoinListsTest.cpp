// The lists of super rows that the select stage makes, entry by entry: classes handed in, the kernel alone in the simulator.
#include "gpu/DenseCase.h"
#include "support/SpecSource.h"
#include "tercet/sim/Launch.h"

#include <catch2/catch.hpp>

#include <cstring>
#include <optional>
#include <random>

using namespace tercet;
using namespace tercet::compiler;

namespace {

/// given_classes of sparse_topk at blocks of 64 x 64 for sm_90a.
class GivenClasses {
public:
  GivenClasses() : spec(test::specNamed("sparse_topk").text) {
    auto program =
        readGpuProgram(spec.spec(), {.headDim = 64, .valueDim = 64, .dtype = DType::bf16, .target = "sm_90a"});
    REQUIRE(program.ok());
    std::vector<std::string> remarks;
    for (const GpuStage &stage : gpuStages(spec.context(), *program, *parseCudaTarget("sm_90a"), remarks)) {
      if (stage.kernel != "given_classes")
        continue;
      auto module = stage.forms.front().lower();
      auto printed = printCuda(*module->getOps<tkern::KernelOp>().begin(), "");
      REQUIRE(printed.ok());
      source = *printed;
    }
    auto output = (*Nvrtc::get())->compile(source.kernel, source.text, "sm_90a", /*ptxOnly=*/true);
    REQUIRE(output.ok());
    auto parsed = sim::Module::parse(output->ptx);
    REQUIRE(parsed.ok());
    kernel.emplace(std::move(*parsed));
  }

  /// heads query heads on one key head, with their classes [heads][query blocks][key blocks]; numbers are by symbol.
  void run(int64_t heads, std::map<std::string, int64_t> numbers, sim::Memory &memory) {
    std::vector<std::byte> parameters(8 * source.arguments.size());
    for (size_t i = 0; i < source.arguments.size(); ++i) {
      const std::string &symbol = source.arguments[i].symbol;
      INFO("argument " << symbol);
      bool known = symbol.empty() || numbers.count(symbol) != 0;
      REQUIRE((known || symbol == "q_len" || symbol == "k_len" || symbol.rfind("classes_out", 0) == 0));
      int64_t value = known && !symbol.empty() ? numbers[symbol] : 0;
      std::memcpy(parameters.data() + 8 * i, &value, 8);
    }
    sim::LaunchConfig config;
    config.grid = {uint32_t((numbers["N"] + 511) / 512), uint32_t(heads), 1};
    config.block = {uint32_t(source.threads), 1, 1};
    config.checks.races = true;
    auto report = sim::launch(*kernel, "given_classes", config, parameters, memory);
    INFO((report.ok() ? "" : report.status().message()));
    REQUIRE(report.ok());
  }

private:
  test::DenseCase spec;
  CudaSource source;
  std::optional<sim::Module> kernel;
};

/// What the list of a super row has to be.
std::vector<int32_t> join(const int8_t *first, const int8_t *second, int64_t keyBlocks) {
  std::vector<int32_t> entries;
  for (int64_t j = 0; j < keyBlocks; ++j)
    if (bool takes[2] = {first[j] == 1, second && second[j] == 1}; takes[0] || takes[1])
      entries.push_back(int32_t(4 * j + takes[0] + 2 * takes[1]));
  return entries;
}

} // namespace

TEST_CASE("super rows list the union of two query blocks, ascending, with a bit for each", "[nvrtc][superrows]") {
  GivenClasses kernel;
  std::mt19937 random(1);
  // Lists of none, a few, and more than the 32 that a warp places at a time; odd and even numbers of query blocks.
  for (double density : {0.0, 0.05, 0.5, 1.0})
    for (auto [queryBlocks, keyBlocks] : {std::pair{1, 1}, {2, 7}, {5, 33}, {9, 100}, {16, 64}}) {
      int64_t heads = 3, N = 64 * queryBlocks - 10, M = 64 * keyBlocks - 63, superRows = (queryBlocks + 1) / 2;
      std::vector<int8_t> classes(size_t(heads * queryBlocks * keyBlocks));
      for (int8_t &value : classes)
        value = std::bernoulli_distribution(density)(random) ? 1 : random() % 2 ? 0 : -1;
      std::vector<int32_t> lists(classes.size()), counts(size_t(heads * queryBlocks));
      std::vector<int32_t> joined(size_t(heads * superRows * keyBlocks), -7), lengths(size_t(heads * superRows), -7);
      sim::Memory memory;
      auto adopt = [&](auto &values, const char *name) {
        return int64_t(memory.adopt(std::as_writable_bytes(std::span(values)), name));
      };
      kernel.run(heads,
                 {{"N", N},
                  {"M", M},
                  {"HKV", 1},
                  {"R", heads},
                  {"G0", 0},
                  {"classes", adopt(classes, "classes")},
                  {"classes.0", 0},
                  {"classes.1", queryBlocks * keyBlocks},
                  {"classes.2", keyBlocks},
                  {"classes.3", 1},
                  {"@lists", adopt(lists, "lists")},
                  {"@counts", adopt(counts, "counts")},
                  {"@super_lists", adopt(joined, "super_lists")},
                  {"@super_counts", adopt(lengths, "super_counts")}},
                 memory);
      for (int64_t head = 0; head < heads; ++head)
        for (int64_t s = 0; s < superRows; ++s) {
          INFO("density " << density << ", " << queryBlocks << " x " << keyBlocks << ", super row " << s);
          const int8_t *rows = classes.data() + (head * queryBlocks + 2 * s) * keyBlocks;
          std::vector<int32_t> expected = join(rows, 2 * s + 1 < queryBlocks ? rows + keyBlocks : nullptr, keyBlocks);
          int64_t place = head * superRows + s;
          auto begin = joined.begin() + place * keyBlocks;
          int32_t length = lengths[size_t(place)];
          REQUIRE(length == int32_t(expected.size()));
          CHECK(std::vector<int32_t>(begin, begin + length) == expected);
          CHECK(std::all_of(begin + length, begin + keyBlocks, [](int32_t entry) { return entry == -7; }));
        }
    }
}
