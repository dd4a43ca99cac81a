// PlanReader: the plan part of a manifest. Private to the artifact library.
#pragma once

#include "tercet/JsonFields.h"

namespace tercet {

/// A module's plan; `signature` stands elsewhere in the manifest.
Plan planField(JsonFields &fields, const nlohmann::json &object, const PlanSignature &signature);

/// The field "dtype" of an object.
DType dtypeField(JsonFields &fields, const nlohmann::json &object);

} // namespace tercet
