// The attend stages of a program, each with the kernels that pool tokens for it: of a forward, or of a backward that runs these again.
#pragma once

#include "tercet/compiler/cuda/GpuLowering.h"

namespace tercet::compiler {

/// The schedules of each stage (none of one of means, MeanStages.h), and whether some take the lists of super rows.
struct AttendForms {
  AttendForms(mlir::MLIRContext &context, const GpuProgram &program, const CudaTarget &target,
              std::vector<std::string> &remarks);
  std::vector<std::vector<RankedSchedule>> schedules;
  std::vector<std::vector<std::string>> pruned; ///< of each stage: those that are not legal
  bool superRows = false;
};

void addAttendStages(std::vector<GpuStage> &stages, mlir::MLIRContext &context, const GpuProgram &program,
                     const AttendForms &forms);

} // namespace tercet::compiler
