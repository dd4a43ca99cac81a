#include "BuiltinTable.h"

namespace tercet::rt {

const Builtin *findBuiltin(std::string_view name) {
  for (const Builtin *builtin : {&packKeysBuiltin, &poolQueriesBuiltin, &selectBuiltin, &copyClassesBuiltin,
                                 &buildListsBuiltin, &linearListsBuiltin, &packWeightBuiltin})
    if (builtin->name == name)
      return builtin;
  return nullptr;
}

} // namespace tercet::rt
