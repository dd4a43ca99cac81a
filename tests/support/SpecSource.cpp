// Reads spec files from the source tree and binds them; the only test support file that includes MLIR.
#include "SpecSource.h"

#include "tercet/compiler/Frontend.h"
#include "tercet/dialect/reference/ReadSpec.h"

#include <fstream>
#include <sstream>

namespace tercet::test {

static void replace(std::string &text, const std::string &from, const std::string &to) {
  size_t at = text.find(from);
  TERCET_CHECK(at != std::string::npos,
               "a spec to be changed says what is replaced: `keep` a fraction, by default 0.3, and a body");
  text.replace(at, from.size(), to);
}

// The text with another rule of keep.
static std::string withRule(std::string text, const std::string &rule) {
  replace(text, " keep top_fraction(", " keep " + rule + "(");
  if (rule == "top_count")
    replace(text, " keep = 0.3 ", " keep = 3 ");
  return text;
}

// The text with a token order at the head of the body. A tile is a block of queries and of keys.
static std::string withOrder(std::string text, const std::string &place) {
  for (const char *other : {" = 128 : !tercet.static<i64>", " = 32 : !tercet.static<i64>"})
    if (text.find(other) != std::string::npos)
      replace(text, other, " = 64 : !tercet.static<i64>");
  int side = text.find(" = 64 : !tercet.static<i64>") != std::string::npos ? 4 : 2;
  std::string order = ") {\n";
  for (auto [axis, tile] : {std::pair{'t', 4}, {'y', side}, {'x', side}})
    order += fmt::format("  %grid_{0} = tercet.param grid_{0} = 1 : !tercet.runtime<i64>\n"
                         "  %tile_{0} = tercet.param tile_{0} = {1} : !tercet.static<i64>\n",
                         axis, tile);
  order += "  tercet.token_order grid(%grid_t, %grid_y, %grid_x) tile(%tile_t, %tile_y, %tile_x)";
  replace(text, ") {\n", order + (place == "none" ? "\n" : " text(" + place + ")\n"));
  return text;
}

Spec specNamed(const std::string &name, std::map<std::string, std::string> settings) {
  std::string file = name, rule, place, queries;
  for (auto [separator, part] : {std::pair{'/', &queries}, {'@', &place}, {':', &rule}})
    if (size_t at = file.find(separator); at != std::string::npos) {
      *part = file.substr(at + 1);
      file.resize(at);
    }
  if (!queries.empty())
    settings["block_q"] = queries;
  for (const char *folder : {"dialect/specs/", "tests/support/specs/"}) {
    std::string path = TERCET_SOURCE_DIR "/" + (folder + file + ".mlir");
    std::ifstream stream(path);
    if (!stream)
      continue;
    std::ostringstream content;
    content << stream.rdbuf();
    std::string text = rule.empty() ? content.str() : withRule(content.str(), rule);
    return {.text = place.empty() ? text : withOrder(text, place), .origin = path, .settings = std::move(settings)};
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
