#include "BuiltinTable.h"

#include <algorithm>
#include <atomic>

namespace tercet::rt {

namespace {

std::atomic<CpuLevel> level{detectCpuLevel()};

} // namespace

CpuLevel builtinLevel() { return level.load(std::memory_order_relaxed); }

void limitBuiltinLevel(CpuLevel asked) { level = std::min(asked, detectCpuLevel()); }

const Builtin *findBuiltin(std::string_view name) {
  for (const Builtin *builtin :
       {&tokenOrderBuiltin,       &packKeysBuiltin,     &poolQueriesBuiltin,   &poolTokensBuiltin,
        &centerKeysBuiltin,       &alikenessBuiltin,    &packSamplesBuiltin,   &selectBuiltin,
        &selectGivenBuiltin,      &spanKeysBuiltin,     &spanKeysGivenBuiltin, &spanBoundsBuiltin,
        &spanClassesBuiltin,      &patternBuiltin,      &copyClassesBuiltin,   &buildListsBuiltin,
        &linearSetsBuiltin,       &linearUsedBuiltin,   &tableRangesBuiltin,   &packWeightBuiltin,
        &transposeClassesBuiltin, &gradientRowsBuiltin, &spreadPoolsBuiltin,   &poolWeightGradientBuiltin,
        &sumPoolWeightsBuiltin,   &attendMeansBuiltin,  &meanRowsBuiltin,      &meanQueryGradientBuiltin,
        &meanKeyGradientBuiltin})
    if (builtin->name == name)
      return builtin;
  return nullptr;
}

} // namespace tercet::rt
