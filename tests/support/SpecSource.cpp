// Reads spec files from the source tree and parses them; the only test support file that includes MLIR.
#include "SpecSource.h"

#include "tercet/dialect/TercetDialect.h"
#include "tercet/dialect/reference/ReadSpec.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"

#include <fstream>
#include <regex>
#include <sstream>

namespace tercet::test {

Spec specNamed(const std::string &name, std::map<std::string, std::string> settings) {
  for (const char *folder : {"dialect/specs/", "tests/support/specs/"}) {
    std::string path = TERCET_SOURCE_DIR "/" + (folder + name + ".mlir");
    std::ifstream file(path);
    if (!file)
      continue;
    std::ostringstream text;
    text << file.rdbuf();
    return {.text = text.str(), .origin = path, .settings = std::move(settings)};
  }
  TERCET_CHECK(false, "no spec of this name");
}

/// The text with each setting written in place of its parameter's value.
static std::string textWithSettings(const Spec &spec) {
  std::string text = spec.text;
  for (const auto &[name, value] : spec.settings) {
    std::regex definition("(tercet\\.param " + name + " = )[^:]*( :)");
    TERCET_CHECK(std::regex_search(text, definition), "a setting names a parameter of the spec");
    text = std::regex_replace(text, definition, "$01" + value + "$02");
  }
  return text;
}

reference::Program programOf(const Spec &spec) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.loadDialect<ir::TercetDialect>();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(textWithSettings(spec), &context, spec.origin);
  TERCET_CHECK(module, "the spec of a test is legal");
  auto specs = module->getOps<ir::SpecOp>();
  TERCET_CHECK(!specs.empty(), "the spec of a test is there");
  Result<reference::Program> program = reference::readSpec(*specs.begin());
  TERCET_CHECK(program.ok(), program.status().message().c_str());
  return *std::move(program);
}

} // namespace tercet::test
