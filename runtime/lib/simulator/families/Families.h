// The families of opcodes. Each is one file (or a few) with its decode functions, its handlers and its table of rules.
#pragma once

#include "syntax/Decoding.h"

namespace tercet::sim {

Rules integerRules();
Rules integerExtendedRules();
Rules bitRules();
Rules bitFieldRules();
Rules floatRules();
Rules floatSignRules();
Rules approximateRules();
Rules compareRules();
Rules moveRules();
Rules convertRules();
Rules controlRules();
Rules loadStoreRules();
Rules atomicRules();
Rules collectiveRules();
Rules matrixMoveRules();
Rules matrixRules();
Rules asyncCopyRules();
Rules barrierRules();
Rules fenceRules();
Rules proxyFenceRules();
Rules mbarrierRules();
Rules clusterBarrierRules();
Rules bulkGroupRules();
Rules bulkCopyRules();
Rules tensorCopyRules();
Rules warpgroupRules();
Rules registerBudgetRules();

} // namespace tercet::sim
