// BlockRules: what lengths, masks and block sets say about blocks, before any score (docs/spec.md#mask, #block_set).
#pragma once

#include "PairEvaluator.h"

#include <memory>

namespace tercet::reference {

/// How many of a block's valid pairs the mask allows: none (or there is no valid pair), some, all.
enum class Coverage : uint8_t { empty, partial, full };

/// The key blocks of one query block of one head. forced: by a rule, not for being partial; empty blocks are neither forced
/// nor forbidden.
struct BlockRow {
  std::vector<Coverage> coverage;
  std::vector<bool> forced, forbidden;
};

/// Reads the rules of a classification for one head. One thread at a time.
class BlockRules {
public:
  BlockRules(const Program &program, const Operands &operands, int64_t batch, int64_t head);
  BlockRow row(int64_t queryBlock);

private:
  const Selection &selection;
  const Operands &operands;
  int64_t lengthQ, lengthK, blocksK, sink;
  std::unique_ptr<PairEvaluator> mask, forced, forbidden, pattern;

  Coverage coverage(const std::vector<int64_t> &rows, const std::vector<int64_t> &keys);
};

} // namespace tercet::reference
