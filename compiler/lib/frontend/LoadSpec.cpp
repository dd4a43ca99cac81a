// loadSpec: text -> parsed, bound and verified spec. Limits come first, so that no input can exhaust the parser.
#include "tercet/compiler/Frontend.h"

#include "BindSettings.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

// The largest built-in spec has 3 KB and nests 4 deep; the parser recurses once per bracket.
static constexpr size_t maxSpecBytes = 1 << 20;
static constexpr int maxNesting = 64;

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

static Status checkLimits(const Spec &spec) {
  if (spec.text.size() > maxSpecBytes)
    return Status::make(Code::invalidSpec, "{}: error: the spec has {} bytes; the limit is {}", spec.origin,
                        spec.text.size(), maxSpecBytes);
  if (StringRef(spec.text).starts_with("ML\xefR"))
    return Status::make(Code::invalidSpec, "{}: error: the spec is MLIR bytecode; only text is accepted", spec.origin);
  if (spec.text.find('\0') != std::string::npos)
    return Status::make(Code::invalidSpec, "{}: error: the spec holds a NUL byte; only text is accepted", spec.origin);
  int depth = 0, line = 1;
  bool comment = false;
  for (size_t i = 0; i < spec.text.size(); ++i) {
    char c = spec.text[i];
    line += c == '\n';
    comment = comment ? c != '\n' : c == '/' && i + 1 < spec.text.size() && spec.text[i + 1] == '/';
    bool arrow = c == '>' && i > 0 && spec.text[i - 1] == '-';
    if (comment || arrow)
      continue;
    if (c == '(' || c == '[' || c == '{' || c == '<')
      ++depth;
    else if ((c == ')' || c == ']' || c == '}' || c == '>') && depth > 0)
      --depth;
    if (depth > maxNesting)
      return Status::make(Code::invalidSpec, "{}:{}:1: error: brackets nest deeper than {}", spec.origin, line,
                          maxNesting);
  }
  return {};
}

Result<BoundSpec> compiler::loadSpec(MLIRContext &context, const Spec &spec) {
  TERCET_RETURN_IF_ERROR(checkLimits(spec));
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(spec.text, spec.origin), SMLoc());
  std::string log;
  llvm::raw_string_ostream stream(log);
  SourceMgrDiagnosticHandler handler(sources, &context, stream);
  auto rejected = [&]() {
    return Status::make(Code::invalidSpec, "{}",
                        log.empty() ? spec.origin + ": error: not a spec" : StringRef(log).trim().str());
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
