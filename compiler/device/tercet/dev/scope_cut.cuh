// Cuts through the keys of many rows: those of a head, or of all heads of a batch entry (docs/spec.md#select, scope).
//
// A cut is found digit by digit. Every pass over the keys is a launch that counts them by their next digit, 256 of them; what
// it counts stays in the workspace, and each pass and the classes after them work out the digits so far from that. Counts and
// weights are integers, so that the order of atomic additions changes nothing.
#pragma once

#include "tercet/dev/keep_rule.cuh"

namespace tercet::dev {

/// Shares as integers: 2^36 is all of a row, so that 2^27 rows add up without overflow.
TERCET_DEVICE u64 fixed_share(float share) { return __float2ull_rn(share * 68719476736.0f); }

/// A pass counts keys by 8 of their bits: the key's from the top, then, of keys that are equal to the cut, those of the
/// row. The rule's passes come first (none, one, or a key's), then those of both cuts.
enum : int { digits = 256, key_passes = 4, row_passes = 4, cut_passes = key_passes + row_passes };
/// Rows are counted from here down, so that the first one has the largest number.
enum : u64 { last_row = 0xffffffffu };
template <class Rule> TERCET_DEVICE constexpr int named_passes() {
  if (Rule::by_mass || Rule::keeps == keep_percentile)
    return key_passes;
  return Rule::keeps == keep_above || Rule::keeps == keep_relative ? 1 : 0;
}

/// What passes of one scope have counted; all of it is 0 before the first. counts[pass]: of a rule's pass the numbers of keys
/// and their shares; of a cut's pass the numbers of keys for the upper and the lower cut.
struct ScopeCounts {
  u64 blocks, forced, candidates, share, forced_share, top;
  u64 counts[key_passes + cut_passes][2][digits];
};

TERCET_DEVICE ScopeCounts *scopes_of(i32 *memory) { return reinterpret_cast<ScopeCounts *>(memory); }

/// A search for the largest number that has at least `wanted` from it up, as a warp: what was found, and what lies above.
struct DigitSearch {
  u64 wanted, found, above;

  /// One more digit, by what lies at each. Returns what lies at the digit found; less than is wanted in all leads to 0.
  TERCET_DEVICE u64 narrow(const u64 *at) {
    const u64 *mine = at + 8 * lane();
    u64 own = 0;
#pragma unroll
    for (int i = 0; i < 8; ++i)
      own += mine[i];
    u64 from = own; // from this lane up
#pragma unroll
    for (int distance = 1; distance < 32; distance *= 2) {
      const u64 next = __shfl_down_sync(whole_warp, from, distance);
      from += lane() + distance < 32 ? next : 0;
    }
    const u32 reaching = __ballot_sync(whole_warp, above + from >= wanted);
    const int holder = reaching == 0 ? 0 : 31 - __clz(static_cast<int>(reaching));
    u64 beyond = above + from - own;
    int digit = 7;
    while (digit > 0 && beyond + mine[digit] < wanted)
      beyond += mine[digit--];
    above = __shfl_sync(whole_warp, beyond, holder);
    digit = __shfl_sync(whole_warp, 8 * static_cast<int>(lane()) + digit, holder);
    found = found << 8 | static_cast<u64>(digit);
    return at[digit];
  }
};

/// A cut through the rows of a scope: which key, and how many of the blocks that have it stand on the near side: all of those
/// in rows before `row`, and in this one the first `ties`.
struct ScopeCut {
  u32 key;
  index row;
  int ties;
  TERCET_DEVICE Cut of(index r) const { return {key, r < row ? 0x7fffffff : r == row ? ties : 0}; }
};

/// What a pass looks for: numbers whose upper bits are `found`, as far as they are known, by their next eight.
struct CutSearch {
  DigitSearch digits;
  u32 key;      ///< once its passes are over
  u64 ties, at; ///< blocks with this key: on the near side, and in all

  /// Whether the rows of ties have to be counted.
  TERCET_DEVICE bool splits() const { return ties != 0 && ties != at; }
  TERCET_DEVICE ScopeCut cut() const {
    if (!splits())
      return {key, ties == 0 ? 0 : static_cast<index>(last_row) + 1, 0};
    return {key, static_cast<index>(last_row - digits.found), static_cast<int>(ties - digits.above)};
  }
};

/// The state of a scope after some passes; the same in all lanes of a warp.
template <class Rule> struct ScopeSearch {
  const ScopeCounts &counts;
  const Rule &rule;

  TERCET_DEVICE Census census() const {
    return {static_cast<index>(counts.blocks), static_cast<index>(counts.forced),
            static_cast<index>(counts.candidates)};
  }

  /// The rule's own cut after `passes` passes.
  TERCET_DEVICE DigitSearch named(int passes) const {
    DigitSearch search = {0, 0, 0};
    if (Rule::keeps == keep_percentile)
      search.wanted = static_cast<u64>(rule.percentile_rank(census().candidates));
    if (Rule::by_mass) {
      const double wanted =
          rule.wanted_weight(static_cast<double>(counts.share), static_cast<double>(counts.forced_share));
      search.wanted = wanted > 0 ? __double2ull_ru(wanted) : 0;
    }
#pragma unroll 1
    for (int pass = 0; pass < passes; ++pass)
      search.narrow(counts.counts[pass][Rule::by_mass]);
    return search;
  }

  /// How many candidates the rule names.
  TERCET_DEVICE index count_named() const {
    if (named_passes<Rule>() == 1)
      return static_cast<index>(counts.counts[0][0][0]);
    if (named_passes<Rule>() == 0)
      return 0;
    const DigitSearch search = named(key_passes);
    const u64 at = counts.counts[key_passes - 1][0][search.found & 255];
    if (Rule::keeps == keep_percentile)
      return static_cast<index>(search.above + at);
    if (search.wanted == 0)
      return 0;
    u64 above = 0;
    for (int pass = 0; pass < key_passes; ++pass)
      for (int digit = static_cast<int>(lane()); digit < digits; digit += 32)
        above += digit > static_cast<int>(search.found >> 8 * (key_passes - 1 - pass) & 255)
                     ? counts.counts[pass][0][digit]
                     : 0;
    const u64 last = counts.counts[key_passes - 1][1][search.found & 255];
    const bool beyond = Rule::keeps == keep_within && search.above + last >= search.wanted;
    return static_cast<index>(
        warp_add(above) - beyond +
        ties_for(search.wanted - search.above, fixed_share(score_of(static_cast<u32>(search.found))), at));
  }

  /// The fewest blocks of share `each` that have `missing` together, or all `most` of them.
  TERCET_DEVICE static u64 ties_for(u64 missing, u64 each, u64 most) {
    const float ratio = static_cast<float>(missing) / static_cast<float>(each);
    u64 ties = ratio < static_cast<float>(most) ? static_cast<u64>(ratio) : most;
    while (ties > 0 && (ties - 1) * each >= missing)
      --ties;
    while (ties < most && ties * each < missing)
      ++ties;
    return ties;
  }

  /// Both cuts after `passes` of their passes.
  TERCET_DEVICE void cuts(int passes, CutSearch (&search)[2]) const {
    const Census of = census();
    const index kept = rule.kept(of, count_named()), dropped = rule.dropped(of, kept);
    search[0].digits = {static_cast<u64>(kept), 0, 0};
    search[1].digits = {static_cast<u64>(of.candidates - dropped), 0, 0};
    const auto *from = counts.counts + named_passes<Rule>();
#pragma unroll 1
    for (int pass = 0; pass < passes && pass < key_passes; ++pass)
#pragma unroll
      for (int side = 0; side < 2; ++side)
        search[side].at = search[side].digits.narrow(from[pass][side]);
    if (passes < key_passes)
      return;
#pragma unroll
    for (int side = 0; side < 2; ++side)
      search[side].key = static_cast<u32>(search[side].digits.found);
    const u64 reached = search[1].digits.above + search[1].at;
    search[0].ties = search[0].digits.wanted - search[0].digits.above;
    search[1].ties = reached - search[1].digits.wanted + (search[1].key == search[0].key ? search[0].ties : 0);
#pragma unroll
    for (int side = 0; side < 2; ++side) {
      search[side].digits = {search[side].ties, 0, 0};
#pragma unroll 1
      for (int pass = key_passes; pass < passes; ++pass)
        search[side].digits.narrow(from[pass][side]);
    }
  }
};

} // namespace tercet::dev
