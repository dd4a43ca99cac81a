// PlanCheck: whether a plan and an artifact hold together, before anything of them is used.
#pragma once

#include "tercet/Artifact.h"

namespace tercet {

/// invalidArgument, naming the first fault, unless: names are unique; query, key, value and output are there once and
/// every other role at most once; every slot, symbol and expression resolves; tensor maps have 1 to 5 axes that fit
/// together; loops nest at most groups > slices.
Status checkPlan(const Plan &plan);

/// checkPlan of every module, and: there is a module, all have one signature, every kernel that a plan names is there,
/// sizes are positive, CPU modules have code and no tensor maps, GPU modules an image per kernel and no builtins. The same
/// of a backward, and: it is one, and the forward gives what it takes.
Status checkArtifact(const Artifact &artifact);

/// The name of a role as files and messages write it: "query", "key_lengths", ...
std::string_view roleName(PlanArgument::Role role);
bool parseRole(std::string_view name, PlanArgument::Role &role);

} // namespace tercet
