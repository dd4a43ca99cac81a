// Argument blocks of the runtime's builtins: the contract between the compiler's plans and runtime/lib/launch/builtins.
// A plan node lists its slots in the order of the struct's fields; every field is 8 bytes.
//
// Notation: pair p = firstPair + g of a group is (batch p / headsKV, KV head p % headsKV); query head h = hkv * R + r;
// gr = g * R + r. A class byte is +1 critical, 0 marginal, -1 negligible or empty (docs/spec.md#classes).
// Per-batch lengths (null: none) shorten tokens: a block beyond the length is empty, rows beyond it are never read.
#pragma once

#include <cstdint>

namespace tercet {

/// token_order: items (block j, batch). Which tokens are in block j (docs/spec.md#token_order): order [batch][blocks][tokens of a
/// tile] = their positions, ascending; -2 - t for a token t at or beyond the length, and -1 in places that have no token. counts
/// [batch][blocks] = how many are below the length; liveBlocks of them have some, the first ones: places [batch] = liveBlocks
/// times the tokens of a tile. Where other builtins take `order` and `counts` (null: blocks are runs of tokens), lengths are
/// these `places`, and `tokens` are all places.
struct TokenOrderSlots {
  int64_t grid[3], tile[3], text; ///< as TokenOrder
  int64_t tokens;
  const int32_t *lengths;
  int64_t blocks;
  int32_t *order, *counts, *places;
};

/// pack_keys: items (key block j, g). One pass over K and V of a block: f32 tiles for the matrix kernels, and block
/// means. The matrices K^T (headDim x tileK) and V (tileK x valueDimPadded) of a tile lie in panels of keyPanel and
/// valuePanel columns, one after the other: packedK [g][tile][tileK / keyPanel][headDim][keyPanel], packedV
/// [g][tile][valueDimPadded / valuePanel][tileK][valuePanel]; tile = j * (blockK / tileK) + part; valuePanel is a
/// multiple of 8. Every position beyond the tokens, and beyond valueDim, is 0. meanK [g][mean tile][headDim][64] and
/// meanV [g][mean tile][64][valueDimPadded] hold the mean over the valid tokens of block j in column (row) j % 64 of
/// mean tile j / 64; positions without a block are 0. Null meanK or meanV: not wanted.
struct PackKeysSlots {
  const void *k, *v;
  int64_t kStrideB, kStrideH, kStrideN, vStrideB, vStrideH, vStrideN;
  int64_t dtype; ///< DType of k and v
  const int32_t *kLengths;
  int64_t headsKV, tokens, headDim, valueDim, valueDimPadded, firstPair;
  int64_t blockK, tileK, keyPanel, valuePanel, tilesPerPair, meanTilesPerPair;
  float *packedK, *packedV, *meanK, *meanV;
  const int32_t *order, *counts;
};

/// pool_queries: items (query block i, gr). meanQ [gr][TM][headDim] = mean over the valid rows of block i (0 if none).
struct PoolQueriesSlots {
  const void *q;
  int64_t qStrideB, qStrideH, qStrideN;
  int64_t dtype;
  const int32_t *qLengths;
  int64_t headsKV, headsPerKV, tokens, headDim, firstPair;
  int64_t blockQ, blocksQ;
  float *meanQ;
  const int32_t *order, *counts;
};

/// pool_tokens: items (pool c, head of the group). Heads count through batch entries, from firstHead on. out [head of the
/// group][pools][dim] of the tokens' dtype: the mean of the valid tokens from c * stride to before c * stride + length, or
/// with weights [weightHeads][weightEntries] their sum in which token t of a pool has the weight of entry t of its head; an
/// index beyond an axis takes the last entry. Summed in f32 and rounded once; 0 for a pool without a valid token.
struct PoolTokensSlots {
  const void *tokens;
  int64_t strideB, strideH, strideN;
  int64_t dtype;
  const int32_t *lengths;
  int64_t heads, tokenCount, dim, firstHead;
  int64_t length, stride, pools;
  const float *weights; ///< null: means
  int64_t weightHeads, weightEntries, weightStrideH, weightStrideT;
  void *out;
  const int32_t *order, *counts; ///< of a token order, whose blocks are the pools; null: runs of tokens
};

/// spread_pools: items (64 tokens, head of the group). The reverse of pool_tokens for gradients of pools: tokens [head][tokenRows][width]
/// = or, if adds, += the sum over the pools c that have the token of its weight times pools [head][poolRows][width]; 0 beyond the
/// lengths. Heads and weights as in pool_tokens.
struct SpreadPoolsSlots {
  const float *pools;
  float *tokens;
  int64_t poolRows, tokenRows, width;
  const int32_t *lengths;
  int64_t heads, tokenCount, firstHead;
  int64_t length, stride, poolCount;
  const float *weights; ///< null: means
  int64_t weightHeads, weightEntries, weightStrideH, weightStrideT;
  int64_t adds;
  const int32_t *counts; ///< of a token order, whose blocks are the pools; tokens are then places
};

/// pool_weight_gradient: items (token of a pool, pair of the group). shares [pair of the call][length] = the sum over the pools of
/// the pair that have a token there, in their order, of the gradient of the pool times that token, [group][poolRows][width] and as
/// in pool_tokens. Nothing where wanted is null.
struct PoolWeightGradientSlots {
  const void *tokens;
  int64_t strideB, strideH, strideN;
  int64_t dtype;
  const int32_t *lengths;
  int64_t headsKV, tokenCount, dim, firstPair;
  int64_t length, stride, pools;
  const float *gradients;
  int64_t poolRows, width;
  float *shares;
  const float *wanted;
  const int32_t *order, *counts; ///< as in pool_tokens
};

/// sum_pool_weights: items (entry, head of the table). out [head][entry] = or, if adds, += the sum of the shares of all pairs and
/// tokens of pools that read this entry (which, as in pool_tokens), in their order. Nothing where out is null.
struct SumPoolWeightsSlots {
  const float *shares;
  int64_t pairs, headsKV, length;
  float *out;
  int64_t heads, entries, strideH, strideT;
  int64_t adds;
};

/// center_keys: items (g, 0). center [g][headDim] = the mean of the pair's valid keys, from the means of its blocks (0 if
/// there are none); centered = meanK less center, 0 where no block is, in the layout of meanK, and perhaps the same memory.
struct CenterKeysSlots {
  const int32_t *kLengths;
  int64_t headsKV, tokens, headDim, firstPair, blockK, blocksK, meanTilesPerPair;
  const float *meanK;
  float *center, *centered;
  const int32_t *counts;
};

/// alikeness: items (block, head of the group). alike [head of the group][blocks] = how alike the valid tokens of a block
/// are (docs/spec.md#pooled_scores), 0 if it has none. Heads count through batch entries, from firstHead on. center
/// [head of the group][headDim] is taken from the tokens first; null: nothing is.
struct AlikenessSlots {
  const void *tokens;
  int64_t strideB, strideH, strideN;
  int64_t dtype;
  const int32_t *lengths;
  int64_t heads, tokenCount, headDim, firstHead;
  int64_t block, blocks;
  const float *center;
  float *alike;
  const int32_t *order, *counts;
};

/// pack_samples: items (tile of 64 key groups, g). Keys as sampled scores multiply them: samples [g][tile][stride *
/// headDim][64] f32, column c of a tile holds token t of group c in rows t * headDim on; 0 where there is no valid token.
struct PackSamplesSlots {
  const void *k;
  int64_t kStrideB, kStrideH, kStrideN;
  int64_t dtype;
  const int32_t *kLengths;
  int64_t headsKV, tokens, headDim, firstPair, stride, tilesPerPair;
  float *samples;
  const int32_t *order; ///< of a token order: groups are of places
};

/// How a fraction of n blocks becomes a count (docs/spec.md#counts).
enum class CountRule : int64_t { floor, ceil, round };

/// What names the candidates that become critical, and over which blocks it ranks and counts (docs/spec.md#select).
enum class KeepRule : int64_t { fraction, count, mass, above, relative, percentile, within };
enum class SelectScope : int64_t { row, head, allHeads, group };

/// A byte of `rules` [gr][TM][TN] is a sum of these. Blocks beyond the lengths may have any.
enum RuleBits : uint8_t {
  emptyRule = 1,    ///< the mask forbids every valid pair
  partialRule = 2,  ///< it forbids some
  forcedRule = 4,   ///< in select's set `forced`, or in the set of a pattern
  forbiddenRule = 8 ///< in select's set `forbidden`
};

/// Where scores come from. pooled: kernels[0] (slots {rows, tiles, out, rows, tiles of 64 columns, scale as double bits},
/// item 0; out [rows][tiles * 64] f32) multiplies rows of meanQ with tiles of meanK. sampled: it multiplies groups of
/// `stride` queries, gathered here, with tiles of `samples`. given: element (b, h, i, j) of a table of f32. compressed: it multiplies
/// queries with tiles of pools of poolLength keys, `stride` apart, packed as samples of one token are; seen [gr][tokensQ][words] has a bit
/// per pool, 32 in a word from the lowest on, for those that a query sees (null: all), whatever behind the live ones.
enum class ScoreSource : int64_t { pooled, sampled, given, compressed };
struct ScoreSlots {
  int64_t source;
  double scale;
  const float *meanQ, *meanK;
  int64_t meanTilesPerPair;
  const void *q;
  int64_t qStrideB, qStrideH, qStrideN;
  int64_t dtype, stride;
  const float *samples;
  int64_t sampleTilesPerPair, poolLength;
  const uint32_t *seen;
  const int32_t *qOrder, *qCounts, *kCounts; ///< of a token order, for `sampled`
  const float *table;
  int64_t tableStrideB, tableStrideH, tableStrideI, tableStrideJ;
};

/// What a row of a span counts, and the ties that are left when its turn comes (docs/spec.md#select).
struct SpanRow {
  int64_t live, candidates, spending; ///< non-empty blocks, candidates, forced blocks that use up keep
  double mass, spentMass, largest;    ///< P of non-empty blocks: sum, sum over the spending ones, largest
  int64_t keptTies, droppedTies;      ///< written by span_bounds
};
/// The keys from which on candidates of a span are critical, and below which they are negligible.
struct SpanBounds {
  int32_t critical, negligible;
};

/// select (with a kernel) and select_given (without): items (chunk of rowsPerItem query blocks, gr; under the scope group:
/// g). Scores of a chunk in scratch, then docs/spec.md#select row by row; rows beyond qLengths get -1 everywhere.
///
/// Under the scopes head and all_heads the same argument block serves four builtins. span_keys and span_keys_given, items as
/// above: the rank of every candidate as an integer, keys [gr][TM][TN], and what a row counts, spanRows [gr][TM].
/// span_bounds, items (span, 0): bounds of a span of headsPerSpan heads. span_classes, items (chunk, gr): the classes.
struct SelectSlots {
  ScoreSlots scores;
  const float *alikeQ, *alikeK; ///< [gr][TM], [g][TN]; null: no guard
  double guard;
  const uint8_t *rules; ///< [gr][TM][TN] of RuleBits; null: no mask, no sets
  const float *budgets; ///< per query head; null: keep
  int64_t budgetStride;
  int8_t *classes; ///< element (b, h, i, j) at b*strideB + h*strideH + i*strideI + j
  int64_t strideB, strideH, strideI;
  const int32_t *qLengths, *kLengths;
  int64_t headsKV, headsPerKV, tokensQ, tokensK, headDim, firstPair;
  int64_t blockQ, blockK, blocksQ, blocksK;
  int64_t rowsPerItem;
  double keep, drop; ///< shares in [0, 1], or counts
  int64_t keepRule, dropIsCount, countRule, scope, minKeep, maxKeep;
  int64_t sink, diagonal, forcedCounts, apart,
      byShare; ///< first `sink` key blocks forced; blocks that meet the token diagonal forced
  int64_t headsPerSpan;
  int32_t *keys;
  SpanRow *spanRows;
  SpanBounds *bounds;
};

/// pattern: items (chunk of 64 query blocks, gr). Classes by `rules` alone (docs/spec.md#pattern).
struct PatternSlots {
  const uint8_t *rules;
  int8_t *classes;
  int64_t strideB, strideH, strideI;
  const int32_t *qLengths, *kLengths;
  int64_t headsKV, headsPerKV, tokensQ, tokensK, firstPair;
  int64_t blockQ, blockK, blocksQ, blocksK;
};

/// copy_classes: items (gr). Copies classes handed in (any broadcast over batch and head: stride 0) to `classes` with
/// empty blocks set to -1, and partial ones to +1 where they are not -1; used when an output or a kernel needs the
/// resolved map.
struct CopyClassesSlots {
  const int8_t *given;
  int64_t givenStrideB, givenStrideH, givenStrideI, givenStrideJ;
  const uint8_t *rules; ///< as select's; null: no mask
  int8_t *classes;
  int64_t strideB, strideH, strideI;
  const int32_t *qLengths, *kLengths;
  int64_t headsKV, headsPerKV, tokensQ, tokensK, firstPair;
  int64_t blockQ, blockK, blocksQ, blocksK;
};

/// build_lists: items (super row of `visitsPerRow` runs of `blocksPerVisit` query blocks, gr). lists [gr][superRows][capacity] of AttendEntry,
/// ascending by tile, the union over the super row's blocks of the critical tiles; then, if withMeans, one entry per
/// mean tile that holds a marginal block of any of them, with tile = meanTileBit | mean tile. counts [gr][superRows].
/// mask bit s: some query block of run (super row * visitsPerRow + s) takes part; bit 16 + s: its block is partial, and the mask's
/// region decides pair by pair. Tiles without a valid token are left out. visitsPerRow and blocksPerVisit are at most 16.
/// takers (null: not wanted): the rows of a super row, 256 at most, that take part in entry e, but for those in runs with a
/// partial block, are its bytes takersAt[e][0] to before takersAt[e][1], ascending; takers [gr][superRows][rows * TN], takersAt
/// [gr][superRows][capacity][2].
struct BuildListsSlots {
  const int8_t *classes;
  int64_t strideB, strideH, strideI;
  const int32_t *qLengths, *kLengths;
  int64_t headsKV, headsPerKV, tokensQ, tokensK, firstPair;
  int64_t blockQ, blockK, tileK, blocksQ, blocksK;
  int64_t visitsPerRow, blocksPerVisit, superRows, capacity, withMeans;
  const uint8_t *rules; ///< as select's; null: no mask
  void *lists;          ///< AttendEntry
  int32_t *counts;
  const int32_t *tokenCounts; ///< `counts` of a token order
  uint8_t *takers;
  int32_t *takersAt;
};
struct AttendEntry {
  int32_t tile;
  int32_t mask;
};
inline constexpr int64_t partialBit = 16;
inline constexpr int32_t meanTileBit = 1 << 30;

/// transpose_classes: items (chunk of 64 key blocks, gr). transposed [b][h][key blocks][runs of `together` query blocks]: the classes of
/// blocks, or the largest of a run; bits of rules, all of a run's.
struct TransposeClassesSlots {
  const int8_t *classes;
  int64_t strideB, strideH, strideI;
  int64_t headsKV, headsPerKV, firstPair, blocksQ, blocksK;
  int8_t *transposed;
  int64_t together, ofRules;
};

/// gradient_rows: items (chunk of 64 rows, gr). What a score needs to become P, and dP to become dS: shifts [gr][rows] =
/// -(lse + lse_rest) log2 e, what rounding leaves of it in rests, and sums [gr][rows] = the sum over a row of dO O,
/// in order. Rows beyond the tokens, and those that see no key
/// (lse = -inf), have -inf and 0.
struct GradientRowsSlots {
  const float *o, *lse, *lseRest; ///< lseRest: null, or what rounding left of lse
  const void *gradient;           ///< dO
  int64_t oStrideB, oStrideH, oStrideN, lseStrideB, lseStrideH, lseStrideN, restStrideB, restStrideH, restStrideN;
  int64_t gradientStrideB, gradientStrideH, gradientStrideN;
  int64_t dtype; ///< DType of dO
  const int32_t *qLengths;
  int64_t headsKV, headsPerKV, tokens, valueDim, firstPair, rows;
  int64_t fused; ///< whether the kernels' products round once per feature, or product and sum each
  float *shifts, *rests, *sums;
  const int32_t *order; ///< of a token order: rows are places, those without a token see no key
};

/// Query blocks and the means of their marginal key blocks: means as pool_queries and pack_keys make them; counts: of a token order.
struct MeanPairsSlots {
  const int8_t *classes;
  int64_t classStrideB, classStrideH, classStrideI;
  const int32_t *kLengths;
  int64_t headsKV, headsPerKV, tokensK, firstPair, blockK, blocksQ, blocksK, meanTilesPerPair, headDim, valueDimPadded;
  double scale;
  const float *meanQ, *meanK, *meanV;
  const int32_t *counts;
};

/// attend_means: items (query block i, gr). The softmax of the mean of query block i over these means, the mean of n tokens n times, for a
/// stage to go on from: numerators [gr][TM][valueDimPadded], and in state [gr][TM][2] the maximum in log2 units (-inf where
/// there is no such mean) and the sum, both relative to the maximum.
struct AttendMeansSlots {
  MeanPairsSlots pairs;
  float *numerators, *state;
};

/// mean_rows: items (query block i, gr). The rows of a query block as one for the gradients of its means: with w of row t its
/// P of any mean over that of the row where P is largest (shifts, rests and sums [gr][numbers] of gradient_rows), gradients [gr][TM][valueDim] = the sum of w dO, rowGradients
/// [gr][rows][valueDim]; state [gr][TM][2] = that row's shift (-inf where no row sees a key), and the sum of w D. shares [gr][numbers] = what
/// the means have of the P of each row, by the state that attend_means kept.
struct MeanRowsSlots {
  const float *shifts, *rests, *sums, *rowGradients;
  int64_t rows, numbers, valueDim, blockQ, blocksQ;
  float *gradients;
  double *state;
  const float *kept;
  float *shares;
};

/// mean_query_gradient: items (query block i, gr). dQ [gr][rowsQ][widthK]: by the means of queries. mean_key_gradient: items (key block j, g).
/// dK [g][rowsK][widthK] and dV [g][rowsK][widthV]: by the means of keys and values, the query heads of a pair in their order.
struct MeanGradientSlots {
  MeanPairsSlots pairs;
  const float *gradients; ///< of mean_rows, as state
  const double *state;
  int64_t valueDim, rowsQ, rowsK, widthK, widthV;
  float *dQ, *dK, *dV;
};

/// linear_sets: items (query block i, gr). The key blocks of row i's linear set, and how many they are: counts [gr][TM].
/// subset 1: their numbers, ascending, lists [gr][TM][TN]. subset u in 2..7: one byte for every run of u blocks, bit b for
/// its block b, patterns [gr][TM][ceil(TN / u)]; lists is not written, and patterns not where subset is 1. linearOver 0
/// marginal (class 0), 1 non_critical (class 0, and -1 on non-empty blocks), 2 all non-empty blocks, 3 negligible (-1 on
/// non-empty blocks); never blocks that a mask makes empty or partial.
struct LinearSetsSlots {
  const int8_t *classes;
  int64_t strideB, strideH, strideI;
  const int32_t *qLengths, *kLengths;
  int64_t headsKV, headsPerKV, tokensQ, tokensK, firstPair;
  int64_t blockQ, blockK, blocksQ, blocksK;
  const uint8_t *rules; ///< as select's; null: no mask
  int64_t linearOver, subset;
  int32_t *lists, *counts;
  int8_t *patterns;
};

/// linear_used: items (g, 0). used[g] = 1 if any row of the pair's query heads has a linear set, else 0. counts as
/// written by linear_sets.
struct LinearUsedSlots {
  const int32_t *counts;
  int64_t rowsPerPair; ///< headsPerKV * TM
  int32_t *used;
};

/// table_ranges: items (64 blocks, row). The least and the largest element of every block of `rangeBlock` entries of a table
/// along one axis of `length` entries: ranges [row][block] of two elements of the table's dtype, both NaN where a block
/// holds a NaN. A row is a position on the other axes, in their order; where these are fewer than three, sizes are 1 and
/// strides 0.
struct TableRangesSlots {
  const void *table;
  int64_t dtype; ///< DType, f32 or i32
  int64_t sizes[3], strides[3];
  int64_t length, stride;
  void *ranges;
};
inline constexpr int64_t rangeBlock = 64;

/// pack_weight: one item. packedW [valueDim][valueDimPadded] f32 = transpose of w [valueDim, valueDim] (w[e][c] becomes
/// packedW[c][e]), packedB [valueDimPadded] f32 = b; padding 0; an absent b is 0; with an absent w packedW is
/// untouched, and a null packedB is not wanted.
struct PackWeightSlots {
  const void *w, *b;
  int64_t wDtype, bDtype, wStride0, wStride1, bStride;
  int64_t valueDim, valueDimPadded;
  float *packedW, *packedB;
};

} // namespace tercet
