// Layout of rings.
#include "SharedRings.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace tercet::compiler {

int64_t slotBytes(tkern::RingType ring) {
  tkern::ViewType slot = ring.getSlot();
  int64_t rowElements = slot.getLayout() == tkern::Layout::Swizzled ? slot.getCols() : slot.getStride();
  return slot.getRows() * rowElements * slot.getElementType().getIntOrFloatBitWidth() / 8;
}

// A ring that box copies fill has two 8-byte barriers per slot behind its slots, numbers behind these, and starts at a swizzle's
// period.
int64_t ringBytes(tkern::RingType ring, bool numbered) {
  bool boxes = ring.getCopy() == tkern::CopyKind::Tma;
  return llvm::alignTo(ring.getSlots() *
                           (slotBytes(ring) + (boxes ? 16 : 0) + (numbered ? 4 * ring.getSlot().getRows() : 0)),
                       boxes ? 1024 : 16);
}

// Rows of threads' copies are 16 bytes longer than their columns: an odd number of 16-byte chunks, so that the eight
// rows that one ldmatrix reads lie in different banks.
tkern::RingType makeRing(int64_t slots, int64_t rows, int64_t cols, Type element, bool boxes) {
  MLIRContext *context = element.getContext();
  tkern::ViewType slot =
      tkern::ViewType::get(context, rows, cols, element, boxes ? 64 : cols + 128 / element.getIntOrFloatBitWidth(),
                           tkern::Space::Shared, boxes ? tkern::Layout::Swizzled : tkern::Layout::Rows);
  return tkern::RingType::get(context, slots, slot, boxes ? tkern::CopyKind::Tma : tkern::CopyKind::CpAsync);
}

} // namespace tercet::compiler
