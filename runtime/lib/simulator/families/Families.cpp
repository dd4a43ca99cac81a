// All rules in one map, built once; the longest mnemonic that begins an opcode decides.
#include "families/Families.h"

#include <string_view>
#include <unordered_map>

namespace tercet::sim {

namespace {

using RuleMap = std::unordered_map<std::string_view, const Rule *>;

RuleMap allRules() {
  RuleMap map;
  for (Rules rules : {integerRules(),   integerExtendedRules(), floatSignRules(), bitRules(),        bitFieldRules(),
                      floatRules(),     approximateRules(),     compareRules(),   moveRules(),       convertRules(),
                      controlRules(),   loadStoreRules(),       atomicRules(),    collectiveRules(), matrixMoveRules(),
                      matrixRules(),    asyncCopyRules(),       barrierRules(),   fenceRules(),      proxyFenceRules(),
                      mbarrierRules(),  clusterBarrierRules(),  bulkGroupRules(), bulkCopyRules(),   tensorCopyRules(),
                      warpgroupRules(), registerBudgetRules()})
    for (const Rule &rule : rules)
      map.emplace(rule.mnemonic, &rule);
  return map;
}

} // namespace

const Rule *findRule(const Statement &statement, size_t &mnemonicParts) {
  static const RuleMap map = allRules();
  size_t end = statement.opcode.size();
  for (size_t parts = statement.parts.size(); parts > 0; --parts) {
    if (auto found = map.find(statement.opcode.substr(0, end)); found != map.end()) {
      mnemonicParts = parts;
      return found->second;
    }
    end -= statement.parts[parts - 1].size() + 1;
  }
  return nullptr;
}

} // namespace tercet::sim
