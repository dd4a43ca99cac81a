// Fuzz target: the frontend. Input: spec text, then settings "name=value", each behind a NUL byte.
#include "Target.h"

#include "tercet/compiler/Frontend.h"
#include "tercet/dialect/reference/ReadSpec.h"

using namespace tercet;
using namespace tercet::compiler;

static Spec specOf(std::string_view input) {
  size_t end = std::min(input.find('\0'), input.size());
  Spec spec{std::string(input.substr(0, end)), "input.mlir", {}};
  while (end < input.size()) {
    size_t begin = end + 1;
    end = std::min(input.find('\0', begin), input.size());
    std::string_view setting = input.substr(begin, end - begin);
    if (size_t equal = setting.find('='); equal != std::string_view::npos)
      spec.settings[std::string(setting.substr(0, equal))] = setting.substr(equal + 1);
  }
  return spec;
}

static Result<std::string> canonicalText(const Spec &spec) {
  std::unique_ptr<mlir::MLIRContext> context = makeContext();
  TERCET_TRY(BoundSpec bound, loadSpec(*context, spec));
  Result<reference::Program> program = reference::readSpec(bound.spec);
  TERCET_CHECK(program.ok() || program.status().code() == Code::invalidSpec,
               "the oracle reads a spec, or says why not");
  return bound.text();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Spec spec = specOf({reinterpret_cast<const char *>(data), size});
  Result<std::string> text = canonicalText(spec);
  if (!text.ok()) {
    constexpr size_t longest = 1 << 14;
    const std::string &message = text.status().message();
    TERCET_CHECK(text.status().code() == Code::invalidSpec, "the spec is to blame");
    TERCET_CHECK(!message.empty() && message.size() <= longest, "a message can be read");
    if (spec.settings.empty())
      TERCET_CHECK(message.starts_with("input.mlir:") && message.find(": error: ") != std::string::npos,
                   "a message names a place and what is wrong there");
    return 0;
  }
  Result<std::string> again = canonicalText({*text, "canonical.mlir", {}});
  TERCET_CHECK(again.ok(), "what was accepted prints as a spec that is accepted");
  TERCET_CHECK(*again == *text, "and prints the same");
  return 0;
}
