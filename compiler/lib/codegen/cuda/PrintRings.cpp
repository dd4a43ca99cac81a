// Rings, lists and roles.
#include "KernelPrinter.h"

using namespace mlir;

namespace tercet::compiler {

using namespace tkern;

bool KernelPrinter::printRing(Operation *op) {
  if (auto ring = dyn_cast<RingOp>(op)) {
    RingType type = ring.getRing().getType();
    bool boxes = type.getCopy() == CopyKind::Tma;
    bool numbered = ring.getNumbered();
    use(numbered ? "numbered_ring.cuh" : boxes ? "tensor_ring.cuh" : "copy_ring.cuh");
    if (!ring.getOffset() || (boxes && !ring.getReaders()))
      return false;
    code.line("const {}<{}, {}, {}> {}(shared, {});",
              numbered ? "NumberedRing"
              : boxes  ? "TensorRing"
                       : "CopyRing",
              typeOf(type.getSlot()), type.getSlots(),
              boxes ? static_cast<int64_t>(*ring.getReaders()) : schedule.getThreads(), declare(ring, "ring"),
              *ring.getOffset());
    return true;
  }
  if (auto fill = dyn_cast<FillOp>(op)) {
    std::string position;
    for (Value coordinate : fill.getPosition())
      position += ", " + ref(coordinate);
    if (fill.getRows())
      position += ", " + ref(fill.getRows());
    if (fill.getNumbers())
      position += ", " + ref(fill.getNumbers());
    code.line("{}.fill({}, {}{});", ref(fill.getRing()), ref(fill.getStep()), ref(fill.getSource()), position);
    return true;
  }
  if (auto wait = dyn_cast<WaitOp>(op)) {
    bool boxes = wait.getRing().getType().getCopy() == CopyKind::Tma;
    std::string later = boxes ? "" : fmt::format("<{}>", wait.getLater());
    std::string text = fmt::format("{}.wait{}({})", ref(wait.getRing()), later, ref(wait.getStep()));
    if (!wait.getView().use_empty())
      return define(wait, "tile", "auto", text);
    code.line("{};", text);
    return true;
  }
  if (auto numbers = dyn_cast<ColumnNumbersOp>(op)) {
    TileType type = numbers.getTile().getType();
    return define(numbers, "numbers", typeOf(type),
                  fmt::format("{}.columns<{}>({})", ref(numbers.getRing()), type.getRows(), ref(numbers.getStep())));
  }
  if (auto release = dyn_cast<ReleaseOp>(op)) {
    code.line("{}.release({});", ref(release.getRing()), ref(release.getStep()));
    return true;
  }
  if (isa<DrainOp>(op)) {
    use("copy_ring.cuh");
    code.line("drain_copies();");
    return true;
  }
  if (auto clear = dyn_cast<ClearRowsOp>(op)) {
    code.line("clear_rows<{}>({}, {});", schedule.getWorkers(), ref(clear.getView()), ref(clear.getRows()));
    return true;
  }
  if (auto block = dyn_cast<EntryBlockOp>(op)) {
    use("super_row.cuh");
    return define(block, "key_block", "index", fmt::format("entry_block({})", ref(block.getEntry())));
  }
  if (auto takes = dyn_cast<EntryTakesOp>(op)) {
    use("super_row.cuh");
    return define(takes, "takes", "bool",
                  fmt::format("entry_takes({}, {})", ref(takes.getEntry()), ref(takes.getWorker())));
  }
  auto worker = dyn_cast<WorkerOp>(op);
  if (!worker)
    return false;
  use("thread.cuh");
  bool groups = schedule.getWorker() == WorkerKind::Warpgroup;
  return define(worker, "worker", "index", groups ? "warpgroup_worker()" : "warp_worker()");
}

bool KernelPrinter::printRoles(RolesOp roles) {
  use("roles.cuh");
  code.line("enter_roles();");
  CodeWriter::Scope scope = code.block("if (in_producer()) {{");
  code.line("shrink_registers<{}>();", roles.getProducerRegisters());
  {
    CodeWriter::Scope one = code.block("if (starts_copies()) {{");
    printBody(roles.getProducer().front());
  }
  code.closeAndOpen("}} else {{");
  code.line("grow_registers<{}>();", roles.getConsumerRegisters());
  printBody(roles.getConsumer().front());
  return true;
}

} // namespace tercet::compiler
