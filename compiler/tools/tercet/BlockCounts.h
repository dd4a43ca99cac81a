// BlockCounts: how many blocks of a call fell into each class, from the map that a target wrote.
#pragma once

#include "tercet/Session.h"

namespace tercet::cli {

/// Adds the non-empty blocks of classes [batch, heads, query blocks, key blocks] to the report. Blocks beyond q_len or
/// k_len, where `inputs` has them, belong to no class.
void countBlocks(const Tensor &classes, const Arguments &inputs, int64_t blockQ, int64_t blockK, LaunchReport &report);

} // namespace tercet::cli
