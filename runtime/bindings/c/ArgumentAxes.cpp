#include "ArgumentAxes.h"

namespace tercet::c {

using Role = PlanArgument::Role;

namespace {

constexpr auto batch = static_cast<int64_t>(TableAxis::batch), head = static_cast<int64_t>(TableAxis::head),
               kvHead = static_cast<int64_t>(TableAxis::kvHead), query = static_cast<int64_t>(TableAxis::query),
               key = static_cast<int64_t>(TableAxis::key), feature = static_cast<int64_t>(TableAxis::feature),
               queryBlock = static_cast<int64_t>(TableAxis::queryBlock),
               keyBlock = static_cast<int64_t>(TableAxis::keyBlock);

} // namespace

std::vector<int64_t> argumentAxes(const PlanArgument &argument, int64_t headDim) {
  switch (argument.role) {
  case Role::query:
  case Role::queryGradient:
    return {batch, head, query, headDim};
  case Role::key:
  case Role::keyGradient:
    return {batch, kvHead, key, headDim};
  case Role::value:
  case Role::valueGradient:
    return {batch, kvHead, key, feature};
  case Role::weight:
  case Role::weightGradient:
    return {feature, feature};
  case Role::bias:
  case Role::biasGradient:
    return {feature};
  case Role::classes:
  case Role::classesOutput:
    return {batch, head, queryBlock, keyBlock};
  case Role::queryLengths:
  case Role::keyLengths:
    return {batch};
  case Role::output:
  case Role::wideOutput:
  case Role::outputGradient:
  case Role::savedOutput:
    return {batch, head, query, feature};
  case Role::lse:
  case Role::lseRest:
  case Role::savedLse:
  case Role::savedLseRest:
    return {batch, head, query};
  case Role::table:
  case Role::tableGradient:
    return argument.axes;
  }
  return {};
}

} // namespace tercet::c
