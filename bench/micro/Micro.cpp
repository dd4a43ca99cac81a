// Runs all groups the processor can, prints a line per finding, writes JSON: micro [--quick] [--only GROUP] [--out
// FILE]
#include "Micro.h"

#include "../harness/Samples.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace tercet::bench {

Floats::Floats(size_t count, Pages pages) : count(count) {
  size_t page = pages == Pages::huge ? size_t{2} << 20 : 4096;
  size_t bytes = (count * sizeof(float) + page - 1) / page * page;
  values = static_cast<float *>(std::aligned_alloc(page, bytes));
#if defined(__linux__)
  if (values && pages == Pages::huge)
    madvise(values, bytes, MADV_HUGEPAGE);
#endif
  if (!values)
    throw std::bad_alloc();
  for (size_t i = 0; i < count; ++i)
    values[i] = static_cast<float>((i * 2654435761u >> 8) & 0xffff) / 65536.0f + 1e-3f;
}

Floats::~Floats() { std::free(values); }

std::vector<double> Findings::rates(double amount, const std::function<void()> &work, std::optional<CpuLevel> level) {
  int calls = 1;
  auto repeated = [&] {
    for (int i = 0; i < calls; ++i)
      work();
  };
  while (rt::timeBracketed(repeated, {.threads = 1, .milliseconds = 0.01, .level = {}}).seconds < 1e-3)
    calls *= 2;
  RepeatOptions options{
      .repetitions = repetitions, .threads = 1, .probeMs = 0.5, .waitLimit = 0.01, .level = level, .afterKept = {}};
  return interleave({repeated}, options)[0].fractions(amount * calls);
}

void Findings::add(Finding finding) {
  fmt::print("{:<12} {:<52} {:8.3f}  [{:.3f} {:.3f}] {}\n", finding.group, finding.name, finding.median, finding.q1,
             finding.q3, finding.unit);
  std::fflush(stdout);
  findings.push_back(std::move(finding));
}

void Findings::peakFraction(std::string group, std::string name, double amount, const std::function<void()> &work,
                            std::optional<CpuLevel> level) {
  Quartiles q = quartilesOf(rates(amount, work, level));
  add({std::move(group), std::move(name), "of peak", q.q1, q.median, q.q3});
}

void Findings::slots(std::string group, std::string name, double amount, int lanes, const std::function<void()> &work) {
  std::vector<double> perUnit;
  for (double rate : rates(amount, work, lanes == 16 ? std::optional<CpuLevel>() : CpuLevel::v3))
    perUnit.push_back(1 / (rate * 2 * lanes)); // rate is units / (seconds * FLOP/s); a slot is 2 * lanes FLOP
  Quartiles q = quartilesOf(perUnit);
  add({std::move(group), std::move(name), "slots", q.q1, q.median, q.q3});
}

} // namespace tercet::bench

using namespace tercet::bench;

int main(int argc, char **argv) {
  struct Group {
    const char *name;
    tercet::CpuLevel level;
    void (*run)(Findings &);
  };
  constexpr tercet::CpuLevel v3 = tercet::CpuLevel::v3, v4 = tercet::CpuLevel::v4;
  const Group groups[] = {
      {"rates", v4, instructionRates512}, {"exp2", v4, exp2Variants512},   {"tiles512", v4, matrixTiles512},
      {"tiles256", v3, matrixTiles256},   {"step", v4, attendStep512},     {"listed", v4, listedBlocks512},
      {"exp2_256", v3, exp2Variants256},  {"step256", v3, attendStep256},  {"listed256", v3, listedBlocks256},
      {"aggregate", v4, aggregation512},  {"pack", v4, transposingPack512}};
  int repetitions = 31;
  std::string only, out;
  for (int i = 1; i < argc; ++i) {
    if (!std::strcmp(argv[i], "--quick"))
      repetitions = 7;
    else if (!std::strcmp(argv[i], "--only") && i + 1 < argc)
      only = argv[++i];
    else if (!std::strcmp(argv[i], "--out") && i + 1 < argc)
      out = argv[++i];
    else {
      fmt::print(stderr, "micro: unknown argument '{}'; legal: --quick, --only GROUP, --out FILE\n", argv[i]);
      return 1;
    }
  }
  Findings findings(repetitions);
  for (const Group &group : groups)
    if ((only.empty() || only == group.name) && tercet::detectCpuLevel() >= group.level)
      group.run(findings);
  if (!out.empty()) {
    nlohmann::json rows = nlohmann::json::array();
    for (const Finding &f : findings.all())
      rows.push_back(
          {{"group", f.group}, {"name", f.name}, {"unit", f.unit}, {"q1", f.q1}, {"median", f.median}, {"q3", f.q3}});
    std::ofstream(out) << rows.dump(1) << "\n";
  }
  return 0;
}
