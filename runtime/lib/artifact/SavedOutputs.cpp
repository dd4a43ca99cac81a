#include "tercet/SavedOutputs.h"

namespace tercet {

using Role = PlanArgument::Role;

const PlanArgument *savedOutput(const PlanSignature &forward, const PlanArgument &input) {
  switch (input.role) {
  case Role::savedOutput: {
    const PlanArgument *wide = forward.find(Role::wideOutput); // absent: o is as exact
    return wide ? wide : forward.find(Role::output);
  }
  case Role::savedLse:
    return forward.find(Role::lse);
  case Role::savedLseRest:
    return forward.find(Role::lseRest);
  case Role::classes:
    return forward.find(Role::classesOutput);
  default:
    return nullptr;
  }
}

} // namespace tercet
