// CpuPlan: the plan of a CPU program - buffers, nodes in order, argument blocks.
#pragma once

#include "CpuSchedule.h"
#include "Gradient.h"

#include "tercet/Plan.h"

namespace tercet::compiler {

Plan buildCpuPlan(ir::SpecOp spec, const Program &program, const CpuSchedule &schedule);

/// The plan of the backward.
Plan buildCpuGradientPlan(ir::SpecOp spec, const Program &program, llvm::ArrayRef<GradientPass> passes,
                          const CpuSchedule &schedule);

} // namespace tercet::compiler
