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

const char *roleName(Role role) {
  switch (role) {
  case Role::query:
    return "query";
  case Role::key:
    return "key";
  case Role::value:
    return "value";
  case Role::weight:
    return "weight";
  case Role::bias:
    return "bias";
  case Role::classes:
    return "classes";
  case Role::table:
    return "table";
  case Role::queryLengths:
    return "query_lengths";
  case Role::keyLengths:
    return "key_lengths";
  case Role::output:
    return "output";
  case Role::lse:
    return "lse";
  case Role::classesOutput:
    return "classes_output";
  case Role::wideOutput:
    return "wide_output";
  case Role::lseRest:
    return "lse_rest";
  case Role::outputGradient:
    return "output_gradient";
  case Role::savedOutput:
    return "saved_output";
  case Role::savedLse:
    return "saved_lse";
  case Role::savedLseRest:
    return "saved_lse_rest";
  case Role::queryGradient:
    return "query_gradient";
  case Role::keyGradient:
    return "key_gradient";
  case Role::valueGradient:
    return "value_gradient";
  case Role::weightGradient:
    return "weight_gradient";
  case Role::biasGradient:
    return "bias_gradient";
  case Role::tableGradient:
    return "table_gradient";
  }
  return "";
}

} // namespace tercet::c
