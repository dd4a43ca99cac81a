// The frame of a printed kernel: argument block, names, scopes, and the ops that see memory.
#include "KernelPrinter.h"

#include "tercet/compiler/cuda/GpuLowering.h"

using namespace mlir;

namespace tercet::compiler {

using namespace tkern;

KernelPrinter::KernelPrinter(KernelOp kernel)
    : kernel(kernel), schedule(kernel->getAttrOfType<GpuScheduleAttr>(GpuScheduleAttr::attributeName)) {
  // Names of the frame and words of C++ that a value might want.
  for (StringRef word : {"shared", "auto",   "const", "double", "float", "for",   "if",    "int",    "index",
                         "max",    "min",    "map",   "fetch",  "store", "await", "lane",  "warp",   "bool",
                         "void",   "switch", "new",   "this",   "split", "ones",  "total", "feature"})
    taken.insert(word);
}

//===- Names and types ----------------------------------------------------------------------------------------------===

std::string KernelPrinter::fresh(StringRef wanted) {
  std::string name = wanted.str();
  for (int copy = 2; !taken.insert(name).second; ++copy)
    name = fmt::format("{}_{}", wanted.str(), copy);
  return name;
}

std::string KernelPrinter::declare(Value value, StringRef fallback) {
  StringRef wanted = nameOf(value);
  return names[value] = fresh(wanted.empty() ? fallback : wanted);
}

std::string KernelPrinter::ref(Value value) const { return names.lookup(value); }

std::string KernelPrinter::elementName(Type type) const {
  if (type.isBF16())
    return "bf16";
  if (type.isF16())
    return "f16";
  if (type.isF32())
    return "float";
  if (type.isInteger(32))
    return "i32";
  return type.isInteger(8) ? "i8" : "";
}

std::string KernelPrinter::typeOf(Type type) const {
  if (isa<IndexType>(type))
    return "index";
  if (type.isInteger(1))
    return "bool";
  if (type.isInteger(32))
    return "Int";
  if (type.isF32() || type.isF64())
    return type.isF32() ? "float" : "double";
  if (isa<TensorMapType>(type))
    return "TensorMap";
  if (auto pointer = dyn_cast<PointerType>(type))
    return elementName(pointer.getElementType()) + " *";
  if (auto tile = dyn_cast<TileType>(type))
    return fmt::format("Tile<{}, {}>", tile.getRows(), tile.getCols());
  auto view = cast<ViewType>(type);
  std::string element = elementName(view.getElementType());
  if (view.getSpace() == Space::Global)
    return fmt::format("Rows<{}, {}>", element, view.getCols());
  if (view.getSpace() == Space::Register && view.getElementType().isF32())
    return fmt::format("Tile<{}, {}>", view.getRows(), view.getCols());
  if (view.getSpace() == Space::Register)
    return fmt::format("Fragments<{}, {}, {}>", element, view.getRows(), view.getCols());
  if (view.getLayout() == Layout::Swizzled)
    return fmt::format("SwizzledTile<{}, {}, {}>", element, view.getRows(), view.getCols());
  return fmt::format("PlainTile<{}, {}, {}, {}>", element, view.getRows(), view.getCols(), view.getStride());
}

bool KernelPrinter::define(Value value, StringRef fallback, const std::string &type, const std::string &expression) {
  std::string name = declare(value, fallback);
  code.line("const {} {} = {};", type, name, expression);
  return true;
}

//===- Frame --------------------------------------------------------------------------------------------------------===

// One parameter per argument, in the kernel's order; the comment is what it binds to at launch.
void KernelPrinter::printParameters() {
  auto arguments = kernel.getBody().getArguments().drop_front(3);
  std::vector<GpuArgument> bound = argumentsOf(kernel);
  for (auto [position, argument] : llvm::enumerate(arguments)) {
    std::string type = typeOf(argument.getType()), name = declare(argument, "argument");
    bool pointer = isa<PointerType>(argument.getType()), map = isa<TensorMapType>(argument.getType());
    const std::string &symbol = bound[position].symbol;
    code.line("    {}{}{}{}{}{}", map ? "const __grid_constant__ " : "", type, pointer ? "" : " ", name,
              position + 1 == arguments.size() ? ") {" : ",",
              symbol == name   ? ""
              : symbol.empty() ? " // null"
                               : " // " + symbol);
  }
}

Result<CudaSource> KernelPrinter::print(const std::string &title) {
  std::string name = kernel.getSymName().str();
  auto blocks = kernel->getAttrOfType<IntegerAttr>(blocksAttribute);
  code.line("extern \"C\" __global__ void __launch_bounds__({}{}) {}(", threads(),
            blocks ? fmt::format(", {}", blocks.getInt()) : "", name);
  printParameters();
  {
    CodeWriter::Scope scope = code.inside();
    if (sharedBytes() > 0)
      code.line("extern __shared__ __align__(1024) u8 shared[];");
    for (auto [axis, fallback] : {std::pair(0, "item0"), std::pair(1, "item1"), std::pair(2, "item2")})
      if (Value item = kernel.getBody().getArgument(axis); !item.use_empty())
        define(item, fallback, "index", fmt::format("blockIdx.{}", "xyz"[axis]));
    printBody(kernel.getBody().front());
  }
  if (!failure.ok())
    return std::move(failure);
  CodeWriter head;
  for (StringRef rest = title; !rest.empty();) {
    auto [line, next] = rest.split('\n');
    head.line("// {}", line.str());
    rest = next;
  }
  for (const std::string &header : headers)
    head.line("#include \"tercet/dev/{}\"", header);
  head.line("");
  head.line("using namespace tercet::dev;");
  head.line("");
  return CudaSource{name, head.text() + code.text(), threads(), sharedBytes(), argumentsOf(kernel)};
}

int64_t KernelPrinter::threads() const {
  auto given = kernel->getAttrOfType<IntegerAttr>(threadsAttribute);
  TERCET_CHECK(schedule || given, "kernels for a GPU carry their schedule or their threads");
  return given ? given.getInt() : schedule.getThreads();
}

int64_t KernelPrinter::sharedBytes() const {
  auto bytes = kernel->getAttrOfType<IntegerAttr>(sharedBytesAttribute);
  return bytes ? bytes.getInt() : 1; // not known: declared
}

// A scope may reuse the names of those before it, but hides none of those around it.
void KernelPrinter::printBody(Block &block) {
  llvm::StringSet<> outside = taken;
  for (Operation &op : block)
    if (failure.ok())
      printOp(&op);
  taken = std::move(outside);
}

void KernelPrinter::printOp(Operation *op) {
  if (printControl(op) || printCall(op) || printMemory(op) || printScalar(op) || printTile(op) || printPairs(op) ||
      printProduct(op) || printRing(op))
    return;
  if (failure.ok())
    failure =
        Status::make(Code::internal, "the CUDA printer has no statement for '{}'", op->getName().getStringRef().str());
}

//===- Scopes -------------------------------------------------------------------------------------------------------===

bool KernelPrinter::printControl(Operation *op) {
  if (isa<EndOp>(op))
    return true;
  // A number that rounds hand on is a variable; of several one might be read after it was written.
  if (auto loop = dyn_cast<scf::ForOp>(op); loop && loop.getInitArgs().size() <= 1) {
    for (auto [argument, result, start] : llvm::zip(loop.getRegionIterArgs(), loop.getResults(), loop.getInitArgs())) {
      std::string from = ref(start);
      names[result] = declare(argument, "carried");
      code.line("{} {} = {};", typeOf(argument.getType()), names[result], from);
    }
    std::string name = declare(loop.getInductionVar(), "i");
    CodeWriter::Scope scope = code.block("for (index {0} = {1}; {0} < {2}; {0} += {3}) {{", name,
                                         ref(loop.getLowerBound()), ref(loop.getUpperBound()), ref(loop.getStep()));
    printBody(*loop.getBody());
    return true;
  }
  if (auto branch = dyn_cast<scf::IfOp>(op)) {
    for (Value result : branch.getResults())
      code.line("{} {};", typeOf(result.getType()), declare(result, "value"));
    CodeWriter::Scope then = code.block("if ({}) {{", ref(branch.getCondition()));
    printBody(*branch.thenBlock());
    if (branch.elseBlock()) {
      code.closeAndOpen("}} else {{");
      printBody(*branch.elseBlock());
    }
    return true;
  }
  if (auto yield = dyn_cast<scf::YieldOp>(op)) {
    for (auto [result, value] : llvm::zip(yield->getParentOp()->getResults(), yield.getOperands()))
      code.line("{} = {};", ref(result), ref(value));
    return true;
  }
  auto roles = dyn_cast<RolesOp>(op);
  return roles && printRoles(roles);
}

// Register views are variables, which the function takes by reference.
bool KernelPrinter::printCall(Operation *op) {
  auto call = dyn_cast<CallOp>(op);
  if (!call)
    return false;
  headers.insert(call.getHeader().str() + ".cuh");
  std::string constants, inputs = call.getShared() ? "shared" : "";
  for (Attribute constant : call.getConstants()) {
    auto type = dyn_cast<TypeAttr>(constant);
    auto flag = dyn_cast<BoolAttr>(constant);
    std::string text = type   ? elementName(type.getValue())
                       : flag ? flag.getValue() ? "true" : "false"
                              : std::to_string(cast<IntegerAttr>(constant).getInt());
    constants += (constants.empty() ? "" : ", ") + text;
  }
  for (Value input : call.getInputs())
    inputs += (inputs.empty() ? "" : ", ") + ref(input);
  std::string text =
      fmt::format("{}{}({})", call.getCallee().str(), constants.empty() ? "" : fmt::format("<{}>", constants), inputs);
  if (call.getResult())
    return define(call.getResult(), call.getCallee(), typeOf(call.getResult().getType()), text);
  code.line("{};", text);
  return true;
}

//===- Memory -------------------------------------------------------------------------------------------------------===

bool KernelPrinter::printMemory(Operation *op) {
  if (auto view = dyn_cast<ViewOp>(op)) {
    ViewType type = view.getView().getType();
    use("global.cuh");
    std::string stride = view.getStride() ? ref(view.getStride()) : std::to_string(type.getStride());
    std::string base = ref(view.getBase()), offset = ref(view.getOffset());
    std::string name = declare(view, "rows");
    code.line("const {} {}{{{} + {}, {}}};", typeOf(type), name, base, offset, stride);
    return true;
  }
  if (auto isNull = dyn_cast<IsNullOp>(op)) {
    std::string pointer = ref(isNull.getPointer());
    return define(isNull, "absent", "bool", pointer + " == nullptr");
  }
  if (auto read = dyn_cast<ReadOp>(op); read && isa<IndexType>(read.getType()))
    return define(read, "value", "index", fmt::format("{}[{}]", ref(read.getPointer()), ref(read.getIndex())));
  if (auto scratch = dyn_cast<ScratchOp>(op); scratch && scratch.getView().getType().getSpace() == Space::Register) {
    std::string type = typeOf(scratch.getView().getType());
    code.line("{} {};", type, declare(scratch, "state"));
    return true;
  }
  // A register view is a tile: loads and stores of all of it are copies.
  if (auto load = dyn_cast<LoadOp>(op); load && load.getView().getType().getSpace() == Space::Register) {
    int64_t width = load.getType().getCols();
    if (width == load.getView().getType().getCols())
      return define(load, "tile", typeOf(load.getType()), ref(load.getView()));
    use("columns.cuh");
    return define(load, "tile", typeOf(load.getType()),
                  fmt::format("columns<{}, {}>({})", ref(load.getCol()), width, ref(load.getView())));
  }
  auto store = dyn_cast<StoreOp>(op);
  if (!store)
    return false;
  if (store.getView().getType().getSpace() == Space::Register) {
    if (store.getTile().getType().getCols() == store.getView().getType().getCols()) {
      code.line("{} = {};", ref(store.getView()), ref(store.getTile()));
    } else {
      use("columns.cuh");
      code.line("set_columns<{}>({}, {});", ref(store.getCol()), ref(store.getView()), ref(store.getTile()));
    }
    return true;
  }
  if (store.getView().getType().getSpace() != Space::Global || store.getCols())
    return false;
  use("global.cuh");
  std::string limit = store.getRows() ? ", " + ref(store.getRows()) : "";
  code.line("store({}, {}, {}{});", ref(store.getTile()), ref(store.getView()), ref(store.getRow()), limit);
  return true;
}

Result<CudaSource> printCuda(KernelOp kernel, const std::string &title) { return KernelPrinter(kernel).print(title); }

} // namespace tercet::compiler
