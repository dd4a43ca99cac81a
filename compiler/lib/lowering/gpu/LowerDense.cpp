// lowerDense: a program and a schedule become a verified module with one kernel.
#include "AttendParts.h"

#include "mlir/IR/Verifier.h"

using namespace mlir;

namespace tercet::compiler {

OwningOpRef<ModuleOp> lowerDense(MLIRContext &context, const DenseProgram &program, tkern::GpuScheduleAttr schedule) {
  context.loadDialect<tkern::TkernDialect, arith::ArithDialect, scf::SCFDialect, math::MathDialect>();
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  AttendParts parts(*module, program, schedule);
  if (schedule.getWorker() == tkern::WorkerKind::Warp)
    buildAttendWarp(parts);
  else
    buildAttendWarpgroup(parts);
  tkern::KernelOp kernel = parts.b.finish();
  kernel->setAttr(sharedBytesAttribute, parts.b.builder.getI64IntegerAttr(parts.layout.sharedBytes));
  TERCET_CHECK(succeeded(verify(*module)), "the GPU lowering builds kernels that verify");
  return module;
}

} // namespace tercet::compiler
