// Workers, roles and register operands: verifiers.
#include "tercet/dialect/TkernDialect.h"

using namespace mlir;
using namespace tercet::tkern;

// The region of the innermost tkern.roles around `op`; null where there is none.
static Region *roleOf(Operation *op) {
  for (Region *region = op->getParentRegion(); region; region = region->getParentRegion())
    if (isa_and_nonnull<RolesOp>(region->getParentOp()))
      return region;
  return nullptr;
}

bool RolesOp::inProducer(Operation *op) {
  Region *role = roleOf(op);
  return role && role == &cast<RolesOp>(role->getParentOp()).getProducer();
}

bool RolesOp::inConsumer(Operation *op) {
  Region *role = roleOf(op);
  return role && role == &cast<RolesOp>(role->getParentOp()).getConsumer();
}

LogicalResult RolesOp::verify() {
  if (getConsumers() < 1 || getConsumers() > 3)
    return emitOpError("C2: has ") << getConsumers() << " consumers, expected 1 to 3";
  for (uint64_t registers : {getProducerRegisters(), getConsumerRegisters()})
    if (registers < 24 || registers > 240 || registers % 8 != 0)
      return emitOpError("C1: asks for ")
             << registers << " registers per thread, expected a multiple of 8 from 24 to 240";
  // All warpgroups start with the same share of the 65536 registers; what consumers gain, the producer has given back.
  int64_t warpgroups = 1 + getConsumers(), atStart = 512 / warpgroups / 8 * 8 * warpgroups;
  int64_t total = getProducerRegisters() + getConsumers() * getConsumerRegisters();
  if (total > atStart)
    return emitOpError("C1: threads of a producer and ")
           << getConsumers() << " consumers ask for " << total << " registers, they start with " << atStart;
  return success();
}

LogicalResult FetchOp::verify() {
  ViewType source = getSource().getType(), view = getView().getType();
  if (source.getSpace() != Space::Shared || source.getElementType() != view.getElementType() ||
      source.getRows() < view.getRows() || source.getCols() < view.getCols())
    return emitOpError("C1: fetches ") << view << " from " << source;
  if (view.getSpace() != Space::Register || view.getRows() % 16 != 0 || view.getCols() % 16 != 0)
    return emitOpError("C2: makes ") << view << ", expected a register view with extents in multiples of 16";
  return success();
}
