// Kernels around functions of the device library, and their launches.
#include "gpu/RuleKernels.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

namespace tercet::test {

namespace {

constexpr int64_t scopeBytes = 8 * (6 + 12 * 2 * 256);
constexpr uint32_t keyBytes = 4 * 16384, countBytes = 4096;

int keepNumber(const std::string &keep) {
  int number = 0;
  for (const char *name : {"top_fraction", "top_count", "top_mass", "above", "relative", "percentile", "within_mass"}) {
    if (keep == name)
      return number;
    ++number;
  }
  return -1;
}

bool isWide(const SelectionSpec &spec) { return spec.scope == "head" || spec.scope == "all_heads"; }
bool isMass(const SelectionSpec &spec) { return spec.keep == "top_mass" || spec.keep == "within_mass"; }
bool weighs(const SelectionSpec &spec) { return isMass(spec) || spec.keep == "above" || spec.keep == "relative"; }

/// One launch after another on the same memory, until one fails.
class Launches {
public:
  Launches(const sim::Module &module, const sim::LaunchConfig &config) : module(module), config(config) {}

  template <typename T> int64_t adopt(std::vector<T> &values, const char *name) {
    return static_cast<int64_t>(memory.adopt(std::as_writable_bytes(std::span(values)), name));
  }

  void run(const char *kernel, uint32_t x, uint32_t y, uint32_t shared, const std::vector<int64_t> &parameters) {
    if (!status.ok() || x == 0 || y == 0)
      return;
    sim::LaunchConfig launch = config;
    launch.grid = {x, y, 1};
    launch.block = {256, 1, 1};
    launch.dynamicShared = shared;
    auto report = sim::launch(module, kernel, launch, std::as_bytes(std::span(parameters)), memory);
    if (!report.ok())
      status = report.takeStatus();
  }

  Status status;

private:
  const sim::Module &module;
  sim::LaunchConfig config;
  sim::Memory memory;
};

/// Buffers of the outputs, and the parameters that stand for them.
struct Outputs {
  Outputs(Launches &launches, const SelectionCall &call)
      : lists(call.batch * call.heads * call.blocksQ() * call.blocksK(), -1),
        counts(call.batch * call.heads * call.blocksQ(), -1), classes(lists.size(), 0x55),
        bits(counts.size() * ((call.blocksK() + 63) / 64), ~uint64_t{0}) {
    parameters = {launches.adopt(lists, "lists"),
                  launches.adopt(counts, "counts"),
                  launches.adopt(bits, "bits"),
                  launches.adopt(classes, "classes"),
                  call.heads * call.blocksQ() * call.blocksK(),
                  call.blocksQ() * call.blocksK(),
                  call.blocksK()};
  }

  SelectedRows rows(const SelectionCall &call) {
    SelectedRows rows{classes, lists, {}};
    size_t width = static_cast<size_t>(call.blocksK()), words = (width + 63) / 64;
    for (size_t r = 0; r < counts.size(); ++r)
      for (size_t j = 0; j < width; ++j) {
        if (j >= static_cast<size_t>(counts[r]))
          rows.lists[r * width + j] = -1;
        rows.members.push_back(bits[r * words + j / 64] >> (j % 64) & 1);
      }
    return rows;
  }

  std::vector<int32_t> lists, counts;
  std::vector<int8_t> classes;
  std::vector<uint64_t> bits;
  std::vector<int64_t> parameters;
};

std::vector<int64_t> join(std::initializer_list<std::vector<int64_t>> parts) {
  std::vector<int64_t> all;
  for (const std::vector<int64_t> &part : parts)
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

} // namespace

std::string ruleKernelText(const SelectionSpec &spec, MemberRule members) {
  int keep = keepNumber(spec.keep), bits = static_cast<int>(members);
  std::string rule = fmt::format("{}, {}, {}, {}", keep,
                                 spec.rounding == "ceil"    ? 1
                                 : spec.rounding == "round" ? 2
                                                            : 0,
                                 spec.dropIsCount, spec.forcedCounts);
  std::string facts = fmt::format("{}, true, false, false", spec.diagonal);
  const char *sizes =
      "const i32 *q_len, const i32 *k_len, index key_heads, index share, index rows, index keys, index first";
  const char *amounts = "double keep, double drop, index min_keep, index max_keep";
  const char *outputs = "i32 *lists, i32 *counts, i32 *bits, i8 *map, index map_b, index map_h, index map_i";
  std::string text = "#include \"tercet/dev/select_scope.cuh\"\n#include \"tercet/dev/given_classes.cuh\"\n"
                     "using namespace tercet::dev;\n";
  auto kernel = [&](const char *name, const std::string &parameters, bool shared, const std::string &call) {
    text += fmt::format("extern \"C\" __global__ void __launch_bounds__(256, 1) {}({}) {{\n{}  {}\n}}\n", name,
                        parameters, shared ? "  extern __shared__ __align__(1024) u8 shared[];\n" : "", call);
  };
  auto source = [](const char *of) { // no means, and scores with strides
    return fmt::format("const float *{}, index b, index h, index i, index j, float *spare", of);
  };
  const char *given =
      "nullptr, nullptr, 1, stored, b, h, i, j, spare, q_len, k_len, key_heads, share, rows, keys, first";
  const char *bounds = "keep, drop, min_keep, max_keep, nullptr, 0";
  const char *out = "lists, counts, bits, nullptr, map, map_b, map_h, map_i";
  if (isWide(spec)) {
    kernel("rank",
           fmt::format("{}, {}, index sink, const i8 *rules, index heads, i32 *scopes", source("stored"), sizes), true,
           fmt::format("rank_blocks<from_table, 8, 0, true, {}, 16, 16, {}, {}, 0>(shared, blockIdx.x, blockIdx.y, {}, "
                       "sink, rules, "
                       "nullptr, nullptr, 0, heads, scopes);",
                       weighs(spec), keep, facts, given));
    kernel("count",
           fmt::format("index pass, float *spare, index heads, index key_heads, index share, index rows, index keys, "
                       "index first, {}, "
                       "i32 *scopes",
                       amounts),
           true,
           fmt::format("count_keys<64, 16, 16, {}, {}>(shared, blockIdx.x, blockIdx.y, pass, spare, heads, key_heads, "
                       "share, rows, "
                       "keys, first, {}, scopes);",
                       rule, countBytes, bounds));
    kernel("select", fmt::format("float *spare, index heads, {}, {}, i32 *scopes, {}", sizes, amounts, outputs), false,
           fmt::format("classify_blocks<8, {}, 16, 16, {}>(blockIdx.x, blockIdx.y, 0, spare, heads, q_len, k_len, "
                       "key_heads, share, "
                       "rows, keys, first, {}, scopes, {});",
                       bits, rule, bounds, out));
  } else {
    bool isGroup = spec.scope == "group";
    kernel("share", fmt::format("{}, {}, const i8 *rules", source("stored"), sizes), true,
           fmt::format("share_blocks<from_table, 8, 0, 16, 16, true, 0>(shared, blockIdx.x, blockIdx.y, {}, rules);",
                       given));
    kernel("select",
           fmt::format("{}, {}, index sink, const i8 *rules, {}, {}", source("stored"), sizes, amounts, outputs), true,
           fmt::format("select_blocks<{}, 8, 0, {}, {}, 16, 16, {}, {}, {}>(shared, blockIdx.x, blockIdx.y, {}, sink, "
                       "rules, nullptr, "
                       "nullptr, 0, {}, {});",
                       isGroup ? "from_heads" : "from_table", !isGroup, bits, rule, facts, keyBytes, given, bounds,
                       out));
  }
  kernel("given",
         fmt::format("const i8 *given, index b, index h, index i, index j, const i8 *rules, {}, {}", sizes, outputs),
         false,
         fmt::format("given_classes<{}, 16, 16, 8>(blockIdx.x, blockIdx.y, given, b, h, i, j, rules, 0, q_len, k_len, "
                     "key_heads, share, "
                     "rows, keys, first, {});",
                     bits, out));
  return text;
}

Result<RuleKernels> RuleKernels::parse(const SelectionSpec &spec, const std::string &ptx) {
  TERCET_TRY(sim::Module module, sim::Module::parse(ptx));
  return RuleKernels(spec, std::move(module));
}

Result<SelectedRows> RuleKernels::select(const SelectionCall &call, const Tensor &scores,
                                         const sim::LaunchConfig &config) const {
  Launches launches(module, config);
  Outputs outputs(launches, call);
  std::vector<float> table;
  for (int64_t b = 0; b < call.batch; ++b)
    for (int64_t h = 0; h < call.heads; ++h)
      for (int64_t i = 0; i < call.blocksQ(); ++i)
        for (int64_t j = 0; j < call.blocksK(); ++j)
          table.push_back(static_cast<float>(scores.get(b, h, i, j)));
  std::vector<float> spare(table.size()), shares(table.size());
  std::vector<uint8_t> rules = call.rules;
  std::vector<int32_t> queryLengths = call.queryLengths, keyLengths = call.keyLengths;
  int64_t queries = queryLengths.empty() ? 0 : launches.adopt(queryLengths, "q_len");
  int64_t keys = keyLengths.empty() ? 0 : launches.adopt(keyLengths, "k_len");
  int64_t ruleBytes = launches.adopt(rules, "rules"), row = call.blocksK(), head = call.blocksQ() * row;
  std::vector<int64_t> sizes = {queries, keys, call.headsKV, call.heads / call.headsKV, call.tokensQ, call.tokensK, 0};
  std::vector<int64_t> stored = {launches.adopt(table, "stored"), call.heads * head, head, row, 1};
  std::vector<int64_t> amounts = {std::bit_cast<int64_t>(call.keep), std::bit_cast<int64_t>(call.drop), call.minKeep,
                                  call.maxKeep};
  int64_t work = launches.adopt(spare, "spare");
  auto parts = static_cast<uint32_t>((call.blocksQ() + 7) / 8), all = static_cast<uint32_t>(call.batch * call.heads);
  if (!isWide(spec)) {
    int64_t from = stored[0];
    if (spec.scope == "group") {
      from = launches.adopt(shares, "shares");
      launches.run("share", parts, all, 16, join({stored, {from}, sizes, {ruleBytes}}));
    }
    stored[0] = from;
    launches.run("select", parts, all, keyBytes,
                 join({stored, {work}, sizes, {call.sink, ruleBytes}, amounts, outputs.parameters}));
  } else {
    int64_t heads = spec.scope == "head" ? 1 : call.heads;
    std::vector<int64_t> counts(call.batch * call.heads / heads * scopeBytes / 8);
    int64_t scopes = launches.adopt(counts, "scopes");
    launches.run("rank", parts, all, 16, join({stored, {work}, sizes, {call.sink, ruleBytes, heads, scopes}}));
    int64_t passes = 8 + (isMass(spec) || spec.keep == "percentile" ? 4 : weighs(spec));
    for (int64_t pass = 0; pass < passes; ++pass)
      launches.run("count", static_cast<uint32_t>((heads * call.blocksQ() + 63) / 64),
                   static_cast<uint32_t>(call.batch * call.heads / heads), countBytes,
                   join({{pass, work, heads}, {sizes.begin() + 2, sizes.end()}, amounts, {scopes}}));
    launches.run("select", parts, all, 0, join({{work, heads}, sizes, amounts, {scopes}, outputs.parameters}));
  }
  TERCET_RETURN_IF_ERROR(std::move(launches.status));
  return outputs.rows(call);
}

Result<SelectedRows> RuleKernels::take(const SelectionCall &call, std::vector<int8_t> *given,
                                       const sim::LaunchConfig &config) const {
  Launches launches(module, config);
  Outputs outputs(launches, call);
  std::vector<uint8_t> rules = call.rules;
  int64_t row = call.blocksK(), head = call.blocksQ() * row;
  launches.run("given", static_cast<uint32_t>((call.blocksQ() + 7) / 8), static_cast<uint32_t>(call.batch * call.heads),
               0,
               join({{given ? launches.adopt(*given, "given") : 0, call.heads * head, head, row, 1,
                      launches.adopt(rules, "rules"), 0, 0, call.headsKV, call.heads / call.headsKV, call.tokensQ,
                      call.tokensK, 0},
                     outputs.parameters}));
  TERCET_RETURN_IF_ERROR(std::move(launches.status));
  return outputs.rows(call);
}

SelectedRows rowsOf(const SelectionCall &call, std::vector<int8_t> classes, MemberRule members) {
  SelectedRows rows{std::move(classes), {}, {}};
  rows.lists.assign(rows.classes.size(), -1);
  auto width = static_cast<size_t>(call.blocksK());
  size_t listed = 0;
  for (size_t index = 0; index < rows.classes.size(); ++index) {
    size_t j = index % width, r = index / width, i = r % call.blocksQ(), h = r / call.blocksQ() % call.heads;
    size_t b = r / call.blocksQ() / call.heads;
    if (j == 0)
      listed = index;
    int8_t value = rows.classes[index];
    bool hasTokens = (call.queryLengths.empty() || 16 * static_cast<int64_t>(i) < call.queryLengths[b]) &&
                     (call.keyLengths.empty() || 16 * static_cast<int64_t>(j) < call.keyLengths[b]);
    uint8_t rule = hasTokens ? call.ruleAt(b, h, i, j) : ruleEmpty;
    if (value == 1)
      rows.lists[listed++] = static_cast<int32_t>(j | (rule & rulePartial ? 0x80000000u : 0));
    bool isFull = (rule & (ruleEmpty | rulePartial)) == 0;
    bool isMember = members == MemberRule::full || (value == 0 && members != MemberRule::negligible) ||
                    (value == -1 && members != MemberRule::marginal);
    rows.members.push_back(isFull && isMember);
  }
  return rows;
}

} // namespace tercet::test
