// tkern -> llvm dialect -> LLVM IR -> object. The vector code is written in its final shape, so that no LLVM IR pass
// runs before the code generator's own (docs/decisions/0003-cpu-code-path.md).
#include "ObjectCode.h"

#include "KernelLowering.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

#include <mutex>

using namespace mlir;
using namespace tercet;
using namespace tercet::codegen;

static std::unique_ptr<llvm::TargetMachine> makeTargetMachine(const CpuTarget &target) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
  });
  std::string error, triple = "x86_64-unknown-linux-gnu";
  const llvm::Target *registered = llvm::TargetRegistry::lookupTarget(triple, error);
  llvm::TargetOptions options;
  options.EmitStackSizeSection = true; // for reports; not loaded with the code
  return std::unique_ptr<llvm::TargetMachine>(registered->createTargetMachine(
      triple, target.llvmCpu, "", options, llvm::Reloc::PIC_, std::nullopt, llvm::CodeGenOptLevel::Default));
}

static LogicalResult lowerKernels(ModuleOp module, const CpuTarget &target, std::vector<KernelInfo> &infos) {
  OpBuilder builder(module.getContext());
  for (auto kernel : llvm::make_early_inc_range(module.getOps<tkern::KernelOp>())) {
    builder.setInsertionPoint(kernel);
    FailureOr<int64_t> scratch = KernelLowering(target, builder).lower(kernel);
    if (failed(scratch))
      return failure();
    auto schedule = kernel->getAttrOfType<StringAttr>("schedule");
    infos.push_back({kernel.getSymName().str(), *scratch, schedule ? schedule.str() : ""});
    kernel.erase();
  }
  PassManager passes(module.getContext());
  passes.enableVerifier(false);
  passes.addPass(createCSEPass());
  passes.addPass(createConvertSCFToCFPass());
  passes.addPass(createArithToLLVMConversionPass());
  passes.addPass(createConvertControlFlowToLLVMPass());
  return passes.run(module);
}

Result<CpuCode> codegen::generateObject(ModuleOp kernels, const CpuTarget &target, bool wantText) {
  CpuCode code;
  MLIRContext *context = kernels.getContext();
  registerBuiltinDialectTranslation(*context);
  registerLLVMDialectTranslation(*context);
  context->loadDialect<LLVM::LLVMDialect>();
  std::string log;
  ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) { log += diagnostic.str() + "\n"; });
  auto failed = [&](const char *what) {
    return Status::make(Code::compileFailed, "the {} code generator failed at {}", target.name, what).note("log", log);
  };
  if (mlir::failed(lowerKernels(kernels, target, code.kernels)))
    return failed("lowering to LLVM");
  llvm::LLVMContext llvmContext;
  std::unique_ptr<llvm::Module> module = translateModuleToLLVMIR(kernels, llvmContext, "tercet");
  if (!module)
    return failed("translation to LLVM IR");
  std::unique_ptr<llvm::TargetMachine> machine = makeTargetMachine(target);
  module->setDataLayout(machine->createDataLayout());
  module->setTargetTriple(machine->getTargetTriple().str());
  for (llvm::Function &function : *module)
    if (!function.isDeclaration()) {
      function.addFnAttr("target-cpu", target.llvmCpu);
      function.addFnAttr("prefer-vector-width", std::to_string(32 * target.lanes));
      function.addFnAttr(llvm::Attribute::NoUnwind);
    }
  if (wantText) {
    llvm::raw_string_ostream stream(code.llvmText);
    module->print(stream, nullptr);
  }
  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::ObjectFile, /*DisableVerify=*/true))
    return failed("object emission");
  passes.run(*module);
  code.object.assign(object.begin(), object.end());
  return code;
}
