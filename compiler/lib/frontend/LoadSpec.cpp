// loadSpec: text -> parsed, bound and verified spec. The text is checked first, so that no input can exhaust the parser.
#include "tercet/compiler/Frontend.h"

#include "BindSettings.h"
#include "SpecText.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

static constexpr size_t mostDiagnostics = 8;      // a program may use any number of names that it does not define
static constexpr size_t longestMessage = 1 << 13; // lines are quoted, whatever their length

namespace {
/// Writes the first diagnostics, with the lines that they are about.
class FirstDiagnostics : public SourceMgrDiagnosticHandler {
public:
  FirstDiagnostics(llvm::SourceMgr &sources, MLIRContext &context, raw_ostream &stream)
      : SourceMgrDiagnosticHandler(sources, &context, stream) {
    setHandler([this](Diagnostic &diagnostic) {
      if (written++ < mostDiagnostics)
        emitDiagnostic(diagnostic);
    });
  }

private:
  size_t written = 0;
};
} // namespace

std::unique_ptr<MLIRContext> compiler::makeContext() {
  DialectRegistry registry;
  registry.insert<ir::TercetDialect, arith::ArithDialect, math::MathDialect>();
  auto context = std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  context->loadAllAvailableDialects();
  context->printOpOnDiagnostic(false); // the caret line shows the op as its author wrote it
  return context;
}

std::string BoundSpec::text() const {
  std::string text;
  llvm::raw_string_ostream stream(text);
  const_cast<ir::SpecOp &>(spec)->print(stream);
  return text;
}

Result<BoundSpec> compiler::loadSpec(MLIRContext &context, const Spec &spec) {
  TERCET_RETURN_IF_ERROR(checkSpecText(spec));
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(spec.text, spec.origin), SMLoc());
  std::string log;
  llvm::raw_string_ostream stream(log);
  FirstDiagnostics handler(sources, context, stream);
  auto rejected = [&]() {
    return Status::make(Code::invalidSpec, "{}",
                        log.empty() ? spec.origin + ": error: not a spec"
                                    : StringRef(log).trim().take_front(longestMessage).str());
  };

  BoundSpec bound;
  bound.module = parseSourceFile<ModuleOp>(sources, &context);
  if (!bound.module)
    return rejected();
  for (Operation &op : *bound.module->getBody()) {
    auto found = dyn_cast<ir::SpecOp>(op);
    if (!found) {
      op.emitError("only tercet.spec may stand at the top of a spec file");
      return rejected();
    }
    if (bound.spec) {
      found.emitError("a second tercet.spec in one file; give one spec at a time");
      return rejected();
    }
    bound.spec = found;
  }
  if (!bound.spec)
    return Status::make(Code::invalidSpec, "{}:1:1: error: holds no tercet.spec", spec.origin);
  TERCET_RETURN_IF_ERROR(bindSettings(bound.spec, spec.settings));
  if (failed(verify(*bound.module)))
    return rejected();
  return bound;
}
