#include "tercet/SavedOutputs.h"

#include <algorithm>

namespace tercet {

using Role = PlanArgument::Role;

static const PlanArgument *withRole(const PlanSignature &signature, Role role) {
  auto found = std::find_if(signature.arguments.begin(), signature.arguments.end(),
                            [&](const PlanArgument &each) { return each.role == role; });
  return found == signature.arguments.end() ? nullptr : &*found;
}

const PlanArgument *savedOutput(const PlanSignature &forward, const PlanArgument &input) {
  switch (input.role) {
  case Role::savedOutput: {
    const PlanArgument *wide = withRole(forward, Role::wideOutput); // absent: o is as exact
    return wide ? wide : withRole(forward, Role::output);
  }
  case Role::savedLse:
    return withRole(forward, Role::lse);
  case Role::savedLseRest:
    return withRole(forward, Role::lseRest);
  case Role::classes:
    return withRole(forward, Role::classesOutput);
  default:
    return nullptr;
  }
}

} // namespace tercet
