// Bodies over pairs, reads of tables, rules of masks.
#include "KernelPrinter.h"

using namespace mlir;

namespace tercet::compiler {

using namespace tkern;

bool KernelPrinter::printPairs(Operation *op) {
  if (auto map = dyn_cast<MapPairsOp>(op)) {
    use("pair_tile.cuh");
    std::string inputs = fmt::format(", {}, {}, {}", ref(map.getTile()), ref(map.getRow()), ref(map.getCol()));
    for (Value input : map.getInputs())
      inputs += ", " + ref(input);
    std::string name = declare(map, "mapped");
    printLambda(map.getBody().front(), fmt::format("const {} {} = map_pairs(", typeOf(map.getType()), name),
                inputs + ")");
    return true;
  }
  if (auto element = dyn_cast<ElementOp>(op)) {
    use("pair.cuh");
    std::string at;
    for (auto [index, size, stride] : llvm::zip(element.getIndices(), element.getSizes(), element.getStrides()))
      at += fmt::format("{}clamped({}, {{{}, {}}})", at.empty() ? "" : " + ", ref(index), ref(size), ref(stride));
    return define(element, "entry", typeOf(element.getType()),
                  fmt::format("element({}, {})", ref(element.getTable()), at));
  }
  return printMask(op);
}

bool KernelPrinter::printMask(Operation *op) {
  if (auto windows = dyn_cast<StepWindowsOp>(op)) {
    use("step_windows.cuh");
    Block &body = windows.getBody().front();
    std::string list = declare(body.getArgument(0), "windows"), rule = fresh("rule");
    std::string part;
    for (Value bound : windows.getPart())
      part += ", " + ref(bound);
    code.line("{}<{}> {}(shared, {}, {}{});", part.empty() ? "StepWindows" : "PartOfWindows", windows.getKeys(), list,
              windows.getOffset(), ref(windows.getLive()), part);
    printLambda(windows.getRule().front(), fmt::format("const auto {} = ", rule), "");
    CodeWriter::Scope scope =
        code.block("while (const index {} = {}.next({})) {{", declare(body.getArgument(1), "count"), list, rule);
    printBody(body);
    return true;
  }
  if (auto listed = dyn_cast<ListedOp>(op))
    return define(listed, "entry", "index", fmt::format("{}[{}]", ref(listed.getList()), ref(listed.getAt())));
  if (auto vote = dyn_cast<VotePairsOp>(op)) {
    use("block_rules.cuh");
    std::string found = fresh("found");
    std::string inputs = fmt::format(", MaskEffect{{{}, {}}}", ref(vote.getMayAllow()), ref(vote.getMayForbid()));
    for (Value bound : {vote.getRow(), vote.getRowEnd(), vote.getCol(), vote.getColEnd()})
      inputs += ", " + ref(bound);
    printLambda(vote.getMask().front(), fmt::format("const MaskEffect {} = vote_pairs(", found), inputs + ")");
    names[vote.getAllows()] = found + ".allows";
    names[vote.getForbids()] = found + ".forbids";
    return true;
  }
  auto answer = dyn_cast<AnswerOp>(op);
  if (!answer)
    return false;
  if (answer.getValues().size() == 1)
    code.line("return {};", ref(answer.getValues()[0]));
  else
    code.line("return MaskEffect{{{}, {}}};", ref(answer.getValues()[0]), ref(answer.getValues()[1]));
  return true;
}

} // namespace tercet::compiler
