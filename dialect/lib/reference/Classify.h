// Classify: the classes of the blocks of a call, by selection or as handed in (docs/spec.md#classes).
#pragma once

#include "SelectRules.h"

#include <map>
#include <set>

namespace tercet::reference {

/// Heads that are classified together, from `head` on: one, those of a KV head, or all of a batch entry.
struct Family {
  int64_t batch = 0, head = 0, heads = 1;
  friend auto operator<=>(const Family &, const Family &) = default;
};

/// The query blocks that `rows` touch, per family. Classes handed in are resolved head by head.
std::map<Family, std::set<int64_t>> touchedBlocks(const Selection &selection, const Operands &operands,
                                                  const std::vector<RowIndex> &rows);

/// Blocks that selection ranks and counts together: one row per head and query block, in this order; under the group scope
/// one row for all heads.
struct ScopeRows {
  std::vector<SelectRow> rows;
  std::vector<std::pair<int64_t, int64_t>> at; ///< head and query block of each row; the first head for a group
};

/// Rules and scores of the heads of one family. One thread at a time.
class FamilyBlocks {
public:
  /// guardShift: added to the guard of pooled scores.
  FamilyBlocks(const Program &program, const Operands &operands, Family family, double guardShift = 0);
  /// The query blocks of every scope that these touch.
  std::vector<std::vector<int64_t>> scopes(const std::set<int64_t> &queryBlocks) const;
  ScopeRows load(const std::vector<int64_t> &scope);
  /// The heads that take their classes from a row at `head`.
  std::vector<int64_t> headsOf(int64_t head) const;
  /// The amount of keep for all scopes of the family.
  Amount keep() const { return keepOf(selection, operands, family.head, family.heads); }
  const BlockRow &rules(int64_t head, int64_t queryBlock);

private:
  const Selection &selection;
  const Operands &operands;
  Family family;
  double guardShift;
  std::vector<BlockRules> blockRules;                  ///< per head
  std::vector<std::unique_ptr<HeadScores>> headScores; ///< per head; null without scores
  std::map<std::pair<int64_t, int64_t>, BlockRow> known;

  SelectRow rowOf(int64_t head, int64_t queryBlock);
  SelectRow groupRow(int64_t queryBlock);
};

/// The class of a block where `given` was handed in.
int8_t givenClass(const Operands &operands, Coverage coverage, int64_t batch, int64_t head, int64_t queryBlock,
                  int64_t keyBlock);

/// The key blocks of one query block: their classes, and what the mask leaves of them. Null without classification.
struct RowBlocks {
  const int8_t *classes = nullptr;
  const Coverage *coverage = nullptr;
};

/// Class and coverage of every block, indexed alike; empty without classification.
struct Classification {
  ClassMap classes;
  std::vector<Coverage> coverage;

  /// The blocks of a query token.
  RowBlocks blocksOf(const Operands &operands, int64_t batch, int64_t head, int64_t row) const {
    if (coverage.empty())
      return {};
    int64_t first = classes.index(batch, head, operands.queryBlocks.blockOf(row), 0);
    return {&classes.values[first], &coverage[first]};
  }
};

/// Fills in the scopes that these query blocks of a family touch; other entries are left alone.
void classify(const Program &program, const Operands &operands, const Family &family,
              const std::set<int64_t> &queryBlocks, Classification &classification);

/// All that `rows` touch; empty without classification.
Classification classifyRows(const Program &program, const Operands &operands, const std::vector<RowIndex> &rows,
                            const ParallelFor &parallelFor);

/// Every row of a call, in order of batch, head, row.
std::vector<RowIndex> allRows(const CallSizes &sizes);

/// Runs items on `parallelFor`, or one after the other where it is empty.
void forEachItem(const ParallelFor &parallelFor, size_t count, const std::function<void(int64_t, int)> &body);

} // namespace tercet::reference
