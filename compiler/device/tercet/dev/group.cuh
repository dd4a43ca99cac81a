// Where an item of a group of (batch, key head) pairs stands, and how much of it is live.
//
// Pair p = first_pair + g is (batch p / key_heads, key head p % key_heads); gr = g * R + r is query head r of pair g.
#pragma once

#include "tercet/dev/types.cuh"

namespace tercet::dev {

struct GroupHead {
  index batch, key_head, query_head;
};

/// In 32 bits: a 64-bit division is a call, around which ptxas saves registers on a stack.
TERCET_DEVICE GroupHead group_head(index gr, index first_pair, index key_heads, index heads_per_key_head) {
  const u32 per = static_cast<u32>(heads_per_key_head), member = static_cast<u32>(gr);
  const u32 pair = static_cast<u32>(first_pair) + member / per, heads = static_cast<u32>(key_heads);
  const u32 key_head = pair % heads;
  return {pair / heads, key_head, key_head * per + member % per};
}

/// Tokens of a batch: its length where lengths are given.
TERCET_DEVICE index live_tokens(const i32 *lengths, index batch, index tokens) {
  if (lengths == nullptr)
    return tokens;
  const index given = lengths[batch];
  return given < 0 ? 0 : given < tokens ? given : tokens;
}

/// Tokens of block `block` that are live.
template <int BLOCK> TERCET_DEVICE index live_in_block(index live, index block) {
  const index left = live - block * BLOCK;
  return left < 0 ? 0 : left < BLOCK ? left : BLOCK;
}

/// Tokens of block `block` of a batch. lengths: of batches, or null; under TILES the tokens of blocks, as a token
/// order clips them: [batch][blocks], where tokens are places.
template <int BLOCK, bool TILES>
TERCET_DEVICE index tokens_of_block(const i32 *lengths, index batch, index tokens, index block) {
  return TILES ? lengths[batch * static_cast<index>(static_cast<u32>(tokens) / BLOCK) + block]
               : live_in_block<BLOCK>(live_tokens(lengths, batch, tokens), block);
}

/// Elements from the start of a tensor to the rows of one head.
TERCET_DEVICE index head_offset(index batch, index batch_stride, index head, index head_stride) {
  return batch * batch_stride + head * head_stride;
}

} // namespace tercet::dev
