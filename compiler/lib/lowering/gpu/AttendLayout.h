// AttendLayout: everything that follows from a stage of a program and its schedule: tile extents, rings, and where they lie in
// shared memory. The one place that knows sizes; pruning of schedules and lowering both read it.
#pragma once

#include "tercet/compiler/cuda/GpuLowering.h"

namespace tercet::compiler {

struct AttendLayout {
  AttendLayout(mlir::MLIRContext &context, const GpuProgram &program, const AttendStage &stage,
               tkern::GpuScheduleAttr schedule);

  mlir::Type element;
  /// Classification blocks among the query rows of a block, at least 1. Where there are more, workers have one each and
  /// take the list of their super row.
  int64_t queryBlocks;
  /// Columns of a tile: head dimensions rounded up to what a product takes, 16 (warps) or 64 (warpgroups).
  int64_t headCols, valueCols;
  /// Value columns finished at a time.
  int64_t finishedCols;
  tkern::RingType queries, keys, values;
  /// Byte offsets of the rings, of the list of steps (where a mask alone says which are taken), and the end of all.
  int64_t queriesAt, keysAt, valuesAt, stepsAt, sharedBytes;
  /// 32-bit registers per thread that tiles and operands take: accumulator, scores, rounded scores, queries.
  int64_t tileRegisters;
};

} // namespace tercet::compiler
