// printNamed: tkern text in which values carry the names that the lowering gave them. MLIR numbers results; the numbers
// are replaced in the printed text, so the text stays what its parser takes.
#include "tercet/compiler/cuda/GpuLowering.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace tercet::compiler {

StringRef nameOf(Value value) {
  Location location = value.getLoc();
  auto named = dyn_cast<NameLoc>(location);
  return named ? named.getName().getValue() : StringRef();
}

namespace {

// Replaces the names of one printed op. Text and walk meet the definitions of values in the same order, and a use means
// the definition of its printed name that came last: numbers are used again only where they are out of scope.
class Renamer {
public:
  explicit Renamer(Operation *root) {
    root->walk<WalkOrder::PreOrder>([&](Operation *op) {
      llvm::append_range(values, op->getResults());
      for (Region &region : op->getRegions())
        for (Block &block : region)
          llvm::append_range(values, block.getArguments());
    });
  }

  std::string apply(StringRef text) {
    std::string result;
    for (;;) {
      size_t begin = text.find('%');
      result += text.substr(0, begin);
      if (begin == StringRef::npos)
        return result;
      text = text.substr(begin);
      StringRef printed = text.substr(0, 1 + text.drop_front().take_while(isNameCharacter).size());
      text = text.substr(printed.size());
      if (text.starts_with(" = ") || text.starts_with(":"))
        define(printed, resultsIn(text));
      auto found = current.find(printed);
      result += found == current.end() ? printed.str() : found->second;
    }
  }

private:
  static bool isNameCharacter(char c) { return llvm::isAlnum(c) || c == '_'; }

  // Results of one op have one name: `%3:2 = ` defines %3#0 and %3#1.
  static size_t resultsIn(StringRef text) {
    size_t count = 1;
    return text.drop_front().consumeInteger(10, count) ? 1 : count;
  }

  void define(StringRef printed, size_t count) {
    TERCET_CHECK(next + count <= values.size(), "every definition in printed IR is a value");
    StringRef name = nameOf(values[next]);
    next += count;
    if (name.empty()) {
      current[printed] = printed.str();
      return;
    }
    std::string unique = name.str();
    for (int copy = 2; !taken.insert(unique).second; ++copy)
      unique = name.str() + "_" + std::to_string(copy);
    current[printed] = "%" + unique;
  }

  SmallVector<Value> values;
  size_t next = 0;
  llvm::StringSet<> taken;
  llvm::StringMap<std::string> current;
};

} // namespace

std::string printNamed(ModuleOp module) {
  std::string text;
  for (Operation &kernel : *module.getBody()) {
    std::string numbered;
    llvm::raw_string_ostream stream(numbered);
    kernel.print(stream);
    text += Renamer(&kernel).apply(numbered) + "\n";
  }
  return text;
}

} // namespace tercet::compiler
