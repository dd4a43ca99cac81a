// The GPU's types and its schedule: syntax and verifiers.
#include "tercet/dialect/TkernDialect.h"

#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace tercet::tkern;

LogicalResult RingType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t slots, ViewType slot,
                               CopyKind copy) {
  if (slots < 1 || slots > 64)
    return emitError() << "a ring has 1 to 64 slots, not " << slots;
  if (slot.getSpace() != Space::Shared || ShapedType::isDynamic(slot.getRows()) ||
      ShapedType::isDynamic(slot.getCols()) || !slot.hasStaticStride())
    return emitError() << "the slots of a ring are shared views with static extents and stride, not " << slot;
  bool swizzled = slot.getLayout() == Layout::Swizzled;
  if (swizzled != (copy == CopyKind::Tma))
    return emitError() << "box copies make swizzled slots and thread copies plain ones; got "
                       << stringifyLayout(slot.getLayout()) << " with " << stringifyCopyKind(copy);
  return success();
}

// `<64x64xbf16>`
Type TensorMapType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type elementType;
  if (parser.parseLess() || parser.parseDimensionList(shape, /*allowDynamic=*/false) || parser.parseType(elementType) ||
      parser.parseGreater())
    return {};
  if (shape.size() != 2) {
    parser.emitError(parser.getNameLoc(), "expected <ROWSxCOLSxTYPE>");
    return {};
  }
  return get(parser.getContext(), shape[0], shape[1], elementType);
}

void TensorMapType::print(AsmPrinter &printer) const {
  printer << '<' << getRows() << 'x' << getCols() << 'x' << getElementType() << '>';
}

LogicalResult GpuScheduleAttr::verify(function_ref<InFlightDiagnostic()> emitError, WorkerKind worker, int64_t workers,
                                      int64_t keys, int64_t slots, Space queries, int64_t producerRegisters,
                                      int64_t consumerRegisters, int64_t split) {
  bool warps = worker == WorkerKind::Warp;
  if (workers < 1 || workers > (warps ? 16 : 3))
    return emitError() << "a block has 1 to " << (warps ? 16 : 3) << " " << stringifyWorkerKind(worker) << "s, not "
                       << workers;
  if (keys < 16 || keys > 256 || keys % 16 != 0)
    return emitError() << "keys per step are a multiple of 16 up to 256, not " << keys;
  if (slots < 1)
    return emitError() << "a ring has at least one slot, not " << slots;
  if (queries != Space::Register && queries != Space::Shared)
    return emitError() << "queries stay in register or shared memory, not " << stringifySpace(queries);
  if (warps ? producerRegisters != 0 || consumerRegisters != 0 : producerRegisters == 0 || consumerRegisters == 0)
    return emitError() << "registers are given per role of warpgroups, and 0 : 0 for warps; got " << producerRegisters
                       << " : " << consumerRegisters << " for " << stringifyWorkerKind(worker);
  if (split < 0 || split == 1)
    return emitError() << "columns are split beyond twice the mean or more, or for 0 never; got " << split;
  return success();
}
