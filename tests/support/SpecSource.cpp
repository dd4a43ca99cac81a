// Reads spec files from the source tree and binds them; the only test support file that includes MLIR.
#include "SpecSource.h"

#include "tercet/compiler/Frontend.h"
#include "tercet/dialect/reference/ReadSpec.h"

#include <fstream>
#include <sstream>

namespace tercet::test {

static void replace(std::string &text, const std::string &from, const std::string &to) {
  size_t at = text.find(from);
  TERCET_CHECK(at != std::string::npos, "a spec with a rule to replace keeps a fraction, by default 0.3");
  text.replace(at, from.size(), to);
}

// The text with another rule of keep.
static std::string withRule(std::string text, const std::string &rule) {
  replace(text, " keep top_fraction(", " keep " + rule + "(");
  if (rule == "top_count")
    replace(text, " keep = 0.3 ", " keep = 3 ");
  return text;
}

Spec specNamed(const std::string &name, std::map<std::string, std::string> settings) {
  size_t colon = name.find(':');
  for (const char *folder : {"dialect/specs/", "tests/support/specs/"}) {
    std::string path = TERCET_SOURCE_DIR "/" + (folder + name.substr(0, colon) + ".mlir");
    std::ifstream file(path);
    if (!file)
      continue;
    std::ostringstream text;
    text << file.rdbuf();
    std::string rule = colon == std::string::npos ? "" : name.substr(colon + 1);
    return {.text = rule.empty() ? text.str() : withRule(text.str(), rule),
            .origin = path,
            .settings = std::move(settings)};
  }
  TERCET_CHECK(false, "no spec of this name");
}

reference::Program programOf(const Spec &spec) {
  std::unique_ptr<mlir::MLIRContext> context = compiler::makeContext();
  Result<compiler::BoundSpec> bound = compiler::loadSpec(*context, spec);
  TERCET_CHECK(bound.ok(), bound.status().message().c_str());
  Result<reference::Program> program = reference::readSpec(bound->spec);
  TERCET_CHECK(program.ok(), program.status().message().c_str());
  return *std::move(program);
}

} // namespace tercet::test
