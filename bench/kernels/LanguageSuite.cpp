// What the language costs: score regions, masks, patterns and rules of selection, each beside the same call without it.
#include "Suites.h"
#include "Workload.h"

#include <fmt/core.h>

#include <thread>

namespace tercet::bench {
namespace {

/// A body between dense attention's tensors and its result.
std::string dense(const std::string &before, const std::string &clauses) {
  return "tercet.spec @bench(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {\n" + before +
         "%o = tercet.sparse %q, %k, %v " + clauses + "\ntercet.return %o\n}\n";
}

const char *const causal = R"(%m = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %allowed = arith.cmpi sle, %j, %i : index
    tercet.yield %allowed : i1
  }
)";

// Five operations on f32: two of them on what changes from pair to pair alone, as in ALiBi.
const char *const fiveFlops = R"(score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %slope = arith.constant 0.125 : f32
    %unit = arith.constant 1.0625 : f32
    %back = arith.subi %j, %i : index
    %steps = arith.index_cast %back : index to i32
    %distance = arith.sitofp %steps : i32 to f32
    %bias = arith.mulf %distance, %slope : f32
    %scaled = arith.mulf %s, %unit : f32
    %sum = arith.addf %scaled, %bias : f32
    %y = arith.maximumf %sum, %bias : f32
    tercet.yield %y : f32
  })";

const char *const softcap = R"(score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %cap = arith.constant 50.0 : f32
    %x = arith.divf %s, %cap : f32
    %t = math.tanh %x : f32
    %y = arith.mulf %t, %cap : f32
    tercet.yield %y : f32
  })";

/// A causal band of `blocks` blocks of 64, block-aligned: no block is partial.
std::string band(int64_t blocks) {
  return fmt::format(R"(tercet.spec @band(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {{
  %block = tercet.param block = 64 : !tercet.static<i64>
  %set = tercet.block_set blocks(%block, %block) {{
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %width = arith.constant {} : index
    %zero = arith.constant 0 : index
    %back = arith.subi %i, %j : index
    %past = arith.cmpi sge, %back, %zero : index
    %near = arith.cmpi slt, %back, %width : index
    %member = arith.andi %past, %near : i1
    tercet.yield %member : i1
  }}
  %classes = tercet.pattern %set
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}}
)",
                     blocks);
}

/// Pooled scores under one rule of keep.
std::string selecting(const std::string &rule, double keep, const std::string &scope) {
  return fmt::format(R"(tercet.spec @selecting(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {{
  %block = tercet.param block = 64 : !tercet.static<i64>
  %scope = tercet.param scope = {} : !tercet.static<keyword>
  %keep = tercet.param keep = {} : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep {}(%keep) scope(%scope)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}}
)",
                     scope, keep, rule);
}

// Branches: the best 5 % of the blocks token by token, and means of 64 tokens.
const std::string fine = R"(  %keep = tercet.param keep = 0.05 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %fine = tercet.sparse %q, %k, %v on %classes[critical]
)";
const std::string coarse = "  %coarse = tercet.compressed %q, %k, %v pool(%block, %block)\n";

std::string inBlocks(const std::string &body) {
  return "tercet.spec @branches(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {\n"
         "  %block = tercet.param block = 64 : !tercet.static<i64>\n" +
         body + "}\n";
}

struct Contender {
  std::string name, text;
};

/// Contenders on one workload, the first of them what the others are compared with.
class Comparison {
public:
  Comparison(const SuiteOptions &options, const Shape &shape, int repetitions, const std::vector<Contender> &contenders)
      : shape(shape), threads(static_cast<int>(std::thread::hardware_concurrency())), contenders(contenders) {
    Workload workload(shape);
    auto session = makeSession(threads);
    std::vector<Call> calls;
    std::vector<std::function<void()>> work;
    for (const Contender &contender : contenders)
      calls.emplace_back(*session, workload, Spec{contender.text, contender.name, {}});
    for (Call &call : calls)
      work.push_back([&call] { call(); });
    reports.resize(calls.size());
    RepeatOptions repeat;
    repeat.repetitions = options.repetitions(repetitions);
    repeat.threads = threads;
    repeat.waitLimit = 0.03;
    repeat.afterKept = [&](size_t i) { reports[i].push_back(calls[i].report()); };
    series = interleave(work, repeat);
  }

  template <typename Value>
  void add(ResultFile &results, size_t i, const std::string &metric, Value valueOfRound, std::optional<Bar> bar) const {
    Row row{fmt::format("{}: {}, {} threads", contenders[i].name, shape.text(), threads),
            metric,
            {},
            series[i].retaken,
            series[i].disturbed,
            bar,
            ""};
    for (size_t round = 0; round < series[i].seconds.size(); ++round)
      row.values.push_back(valueOfRound(round));
    results.add(row);
  }
  double against(size_t i, size_t round) const { return series[i].seconds[round] / series[0].seconds[round]; }
  double selectShare(size_t i, size_t round) const {
    double ms = 0;
    for (const auto &[stage, time] : reports[i][round].stageMs)
      ms += stage == "select" ? time : 0;
    return ms / (series[i].seconds[round] * 1e3);
  }
  double exactShare(size_t i) const {
    const LaunchReport &counts = reports[i][0];
    int64_t blocks = counts.criticalBlocks + counts.marginalBlocks + counts.negligibleBlocks;
    return static_cast<double>(counts.criticalBlocks) / static_cast<double>(blocks);
  }

private:
  Shape shape;
  int threads;
  std::vector<Contender> contenders;
  std::vector<std::vector<LaunchReport>> reports;
  std::vector<Series> series;
};

void pairCases(ResultFile &results, const SuiteOptions &options, int64_t headDim) {
  Shape shape{.tokens = options.quick ? 1024 : 8192, .headDim = headDim};
  shape.heads = 2;
  Comparison runs(options, shape, 11,
                  {{"dense", dense("", "")},
                   {"five operations on scores", dense("", fiveFlops)},
                   {"softcap", dense("", softcap)},
                   {"causal", dense(causal, "mask(%m)")},
                   {"a band of 16 blocks", band(16)}});
  runs.add(
      results, 1, "time against dense", [&](size_t r) { return runs.against(1, r); }, options.atMost(1.10));
  runs.add(results, 2, "time against dense", [&](size_t r) { return runs.against(2, r); }, {});
  double n = static_cast<double>(shape.tokens), half = (n + 1) / (2 * n);
  runs.add(
      results, 3, "speed, of that of half of dense", [&](size_t r) { return half / runs.against(3, r); },
      options.atLeast(0.90));
  double share = runs.exactShare(4);
  runs.add(
      results, 4, fmt::format("speed, of that of {:.1f} % of dense", 100 * share),
      [&](size_t r) { return share / runs.against(4, r); }, options.atLeast(0.85));
}

// Rules that keep some 5 % of the blocks of independent normal tokens, whose shares are nearly equal.
void ruleCases(ResultFile &results, const SuiteOptions &options) {
  Shape shape{.heads = 1, .tokens = options.quick ? 4096 : 32760, .headDim = 128};
  double blocks = static_cast<double>((shape.tokens + 63) / 64);
  Comparison runs(options, shape, 5,
                  {{"the best 5 %", selecting("top_fraction", 0.05, "row")},
                   {"5.2 % of the mass", selecting("top_mass", 0.052, "row")},
                   {"shares above a bound", selecting("above", 1.026 / blocks, "row")},
                   {"shares near the largest", selecting("relative", 0.979, "row")},
                   {"percentile 95", selecting("percentile", 0.95, "row")},
                   {"percentile 95 of a head", selecting("percentile", 0.95, "head")},
                   {"the best 5 % of all heads", selecting("top_fraction", 0.05, "all_heads")},
                   {"the best 5 % of a group", selecting("top_fraction", 0.05, "group")}});
  for (size_t i = 0; i < 8; ++i) {
    runs.add(
        results, i, "selection, share of the call", [&](size_t r) { return runs.selectShare(i, r); },
        options.atMost(i == 0 ? 0.05 : 0.08));
    runs.add(results, i, "blocks exact, share", [&](size_t) { return runs.exactShare(i); }, {});
  }
}

// Branches over one Q beside the same branches alone.
void branchCases(ResultFile &results, const SuiteOptions &options) {
  Shape shape{.heads = 1, .tokens = options.quick ? 4096 : 32760, .headDim = 128};
  Comparison runs(
      options, shape, 7,
      {{"the best 5 % alone", inBlocks(fine + "tercet.return %fine\n")},
       {"means of 64 tokens alone", inBlocks(coarse + "tercet.return %coarse\n")},
       {"both, summed", inBlocks(fine + coarse + "%o = tercet.combine sum(%coarse, %fine)\ntercet.return %o\n")},
       {"both under one softmax",
        inBlocks(fine + coarse + "%o = tercet.combine joint(%coarse, %fine)\ntercet.return %o\n")}});
  for (size_t i : {2, 3})
    runs.add(results, i, "time against that of the branches alone",
             [&](size_t r) { return runs.against(i, r) / (1 + runs.against(1, r)); }, {});
}

} // namespace

ResultFile languageSuite(const SuiteOptions &options) {
  ResultFile results("language", options.command);
  for (int64_t headDim : {64, 128})
    pairCases(results, options, headDim);
  ruleCases(results, options);
  branchCases(results, options);
  return results;
}

} // namespace tercet::bench
