// The built-in specs, embedded from dialect/specs at build time.
#include "tercet/compiler/Frontend.h"

#include "llvm/ADT/StringExtras.h"

using namespace tercet;
using namespace tercet::compiler;

std::vector<BuiltinSpec> compiler::builtinSpecs() {
  return {
#include "BuiltinSpecs.inc"
  };
}

const BuiltinSpec *compiler::findBuiltinSpec(std::string_view name) {
  static const std::vector<BuiltinSpec> specs = builtinSpecs();
  for (const BuiltinSpec &spec : specs)
    if (spec.name == name)
      return &spec;
  return nullptr;
}

std::string BuiltinSpec::summary() const {
  std::string sentence;
  for (llvm::StringRef rest = text; rest.consume_front("//");) {
    auto [line, next] = rest.split('\n');
    if (!sentence.empty())
      sentence += ' ';
    sentence += line.trim().str();
    rest = next;
  }
  return sentence;
}
