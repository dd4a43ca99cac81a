// Bugs in the kernels that score, rank and classify blocks, one at a time: the simulator must find all but those that change
// nothing.
#include "gpu/EditedPlan.h"

#include <catch2/catch.hpp>

using namespace tercet;
using namespace tercet::test;

namespace {

/// What the blocks of a row are, and what becomes of them.
const std::vector<KernelEdit> rowEdits = {
    {"const u32 rule = RULES ? rules[j] : 0;", "const u32 rule = 0;"},
    {"if ((rule & rule_partial) != 0)\n      return partial_key;", ""},
    {"return partial_key;", "return forced_key;"},
    {"|| j < sink ||", "|| j <= sink ||"},
    {"all = (all & ~rule_empty) | rule;", "all |= rule;"},
    {"candidates += key == first_rank;", "candidates += key >= forced_key;"},
    {"bits < 0 ? -magnitude : magnitude", "magnitude"},
    {"reached >= wanted)\n      key |= bit;", "reached > wanted)\n      key |= bit;"},
    {"wanted - count_from(keys, count, key + 1)", "wanted - count_from(keys, count, key)"},
    {"key > best.key || (", "key >= best.key || ("},
    {"worst = key < low.key ||", "worst = key > low.key ||"},
    {"best.ties -= __popc(level);", ""},
    {"low.ties -= __popc(low_level);", ""},
    {"ties + (key == best.key ? best.ties : 0)", "ties"},
    {"key == partial_key || key == forced_key ||", "key == partial_key ||"},
    {"key == partial_key       ? rule_partial", "key == partial_key       ? 0"},
    {"(full ? 0 : partial_entry)", "0"},
    {"list[listed + __popc(critical & lanes_before())]", "list[__popc(critical & lanes_before())]"},
    {"live && full == whole && member", "live && member"},
    {"block_count<ROUNDING, DROP_COUNT>(drop, 1e-9, census.blocks)",
     "block_count<ROUNDING, DROP_COUNT>(drop, 1e-9, census.candidates)"},
};

/// A rule of shares, a guard, and sets.
const std::vector<KernelEdit> massEdits = {
    {"return (rule & rule_forbidden) != 0 ? forbidden_key : first_rank;", "return first_rank;"},
    {"(rule & rule_forced) != 0 || j", "j"},
    {"all_forced || alike[j] < guard", "alike[j] < guard"},
    {"all_forced || alike[j] < guard", "all_forced"},
    {"facts.alike_k + of.g * of.key_blocks", "facts.alike_k"},
    {"weights.total += weights.of(__uint_as_float(row[j]));", "weights.total += 1;"},
    {"share * total", "keep * share * total"},
    {"above + static_cast<int>(last)", "static_cast<int>(last)"},
};

const std::vector<KernelEdit> rankEdits = {
    {"top = fmaxf(top, rank);", "", "top_mass does not ask for the largest share"},
    {"share += fixed_share(rank);", "share = fixed_share(rank);"},
    {"forced_share += key == forced_key ? fixed_share(rank) : 0;", ""},
    {"forced_share = warp_add(forced_share);", ""},
    {"return key == first_rank ? key_of(rank) : key;", "return key == first_rank ? key_of(score) : key;"},
    {"return key == first_rank ? key_of(rank) : key;", "return key_of(rank);"},
    {"atomicAdd(&scope.candidates, static_cast<u64>(census.candidates));",
     "scope.candidates = static_cast<u64>(census.candidates);"},
    {"[static_cast<u32>(gr) / static_cast<u32>(scope_heads)]", "[0]"},
};

const std::vector<KernelEdit> countEdits = {
    {"here[0][threadIdx.x] = here[1][threadIdx.x] = 0;\n  __syncthreads();",
     "here[0][threadIdx.x] = here[1][threadIdx.x] = 0;"},
    {"here[0][threadIdx.x] = here[1][threadIdx.x] = 0;", "here[0][threadIdx.x] = 0;"},
    {"spare + s * scope.rows * scope.key_blocks", "spare"},
    {"static_cast<u64>(key) >> shift >> 8 != found", "false"},
    {"atomicAdd(&here[1][key >> shift & 255], fixed_share(score_of(key)));",
     "atomicAdd(&here[1][key >> shift & 255], 1ull);"},
    {"atomicAdd(&here[0][key >> shift & 255], 1ull);", "++here[0][key >> shift & 255];"},
    {"__syncthreads();\n#pragma unroll\n  for (int side = 0; side < 2; ++side)\n    if (const u64 counted",
     "#pragma unroll\n  for (int side = 0; side < 2; ++side)\n    if (const u64 counted"},
    // The search that says what to count.
    {"lane() + distance < 32 ? next : 0", "next"},
    {"above + from >= wanted", "from >= wanted"},
    {"[Rule::by_mass]", "[0]"},
    {"while (ties < most && ties * each < missing)\n      ++ties;", ""},
};

const std::vector<KernelEdit> classifyEdits = {
    {"r < row ? 0x7fffffff : r == row ? ties : 0", "r < row ? 0x7fffffff : 0"},
    {"r < row ? 0x7fffffff : r == row ? ties : 0", "ties"},
    {"static_cast<int>(ties - digits.above)", "static_cast<int>(ties)"},
    {"in_scope = line - s * scope.rows", "in_scope = row"},
    {"keys_first * heads_per_key_head + gr)", "gr + 1)"},
    {"search[1].key == search[0].key ? search[0].ties : 0", "0"},
};

const std::vector<KernelEdit> sampleEdits = {
    {"queries.first = S - 1 - t;", "queries.first = t;"},
    {"token < from.live && c < D", "c < D"},
    {"drain_copies();\n    __syncthreads();", "__syncthreads();"},
    {"1.4426950408889634 / S", "1.4426950408889634"},
    {"sum.at[half] *= weight_below(top.at[half], higher);", ""},
    {"top.at[half] = higher;", "top.at[half] = here.at[half];"},
    {"smaller(row_groups - i * Queries::per_block, Queries::per_block)", "Queries::per_block"},
    {"    __syncthreads();\n    add_shares", "    add_shares"},
};

const std::vector<KernelEdit> poolEdits = {
    {"-infinity();\n      }\n      if (counting)", "100.0f;\n      }\n      if (counting)"},
    {"total.at[half] *= weight_below(most.at[half], larger_one);", ""},
    {"most.at[half] = larger_one;", "most.at[half] = here.at[half];"},
    {"scale * 1.4426950408889634)", "scale)"},
    {"seen[(gr * rows + first_row + row) * words + at]", "seen[(gr * rows + first_row) * words + at]"},
    {"row >= live || left <= 0 ? 0u", "left <= 0 ? 0u", "rows beyond the length see nothing, and are counted nowhere"},
    {"own[i] = 0;", "own[i] = 1;"},
    {"live_keys - first < LENGTH ? live_keys - first : LENGTH", "LENGTH"},
    {"begin < LENGTH ? 0 : (begin - LENGTH) / STRIDE + 1", "begin / STRIDE"},
    {"sum / static_cast<float>(rows.all)", "sum"},
    {"shares[a * key_blocks + j] += sum", "shares[a * key_blocks + j] = sum"},
    {"__syncthreads();\n      add_pool_shares", "add_pool_shares"},
    {"static_cast<float>(inside) / static_cast<float>(tokens)", "1.0f"},
};

/// Selection by `rule` over two batch entries whose lengths leave tails.
Case ragged(std::string spec, std::map<std::string, std::string> settings,
            std::vector<std::pair<std::string, double>> parameters = {}) {
  return {.name = "edited",
          .spec = std::move(spec),
          .settings = std::move(settings),
          .parameters = std::move(parameters),
          .shape = {.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 75, .tokensK = 90, .headDim = 16},
          .queryLengths = {75, 40},
          .keyLengths = {33, 90},
          .poison = true};
}

/// The same with equal scores in more key blocks than a warp has threads.
Case tied(Case entry) {
  entry.queryLengths = entry.keyLengths = {};
  entry.poison = false;
  entry.shape = {.batch = 2, .heads = 2, .headsKV = 1, .tokensQ = 40, .tokensK = 560, .headDim = 16};
  entry.content = Content::ties; // which the contract then leaves no choice in
  entry.scale = 0;
  return entry;
}

/// The same with scores that differ much.
Case longRows(Case entry) {
  entry = tied(entry);
  entry.content = Content::normal;
  entry.scale = 4;
  return entry;
}

} // namespace

TEST_CASE("bugs in the selection of rows are found by running it", "[mutation]") {
  Case causal = ragged("causal_sla", {{"linear_over", "all"}});
  requireFound("select", {causal, tied(causal), longRows(causal)}, rowEdits);
  Case guarded = ragged("guarded", {}, {{"guard", 0.045}}); // some blocks of random tokens are below
  requireFound("select", {guarded, longRows(guarded)}, massEdits);
}

TEST_CASE("bugs in the selection of wide scopes are found by running it", "[mutation]") {
  Case mass = ragged("ranked:top_mass", {{"scope", "all_heads"}, {"forced_counts", "true"}, {"diagonal", "true"}},
                     {{"keep", 0.45}, {"sink", 1}});
  const std::vector<Case> cases = {longRows(mass), tied(mass)};
  requireFound("rank_rows", cases, rankEdits);
  requireFound("count_keys", cases, countEdits);
  Case fraction = ragged("ranked:top_fraction", {{"scope", "all_heads"}}, {{"keep", 0.37}, {"drop", 0.24}});
  requireFound("classify_rows", {tied(fraction), longRows(fraction)}, classifyEdits);
}

TEST_CASE("bugs in shares of anti-diagonals are found by running them", "[mutation]") {
  Case sampled = ragged("sampled", {});
  Case wide = longRows(sampled); // two tiles of keys
  wide.shape.tokensK = 300;
  requireFound("sampled_scores", {sampled, wide}, sampleEdits);
}

TEST_CASE("bugs in shares of pools are found by running them", "[mutation]") {
  Case pools = ragged("pool_ranked:above", {{"block_q", "16"}, {"stride", "1"}, {"length", "24"}},
                      {{"keep", 0.14}, {"drop", 0}});
  requireFound("compressed_scores", {pools, longRows(pools)}, poolEdits); // whose queries see two tiles of pools
}
