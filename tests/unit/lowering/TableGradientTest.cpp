// Where shares of gradients of tables are summed, by what indices of reads need; and what is refused.
#include "TableGradient.h"
#include "Program.h"

#include "tercet/compiler/Frontend.h"

#include <catch2/catch.hpp>

#include <fmt/format.h>

using namespace tercet;
using namespace tercet::compiler;

namespace {

using Kind = TableShares::Kind;

/// The passes of a spec with the table %t, whose score region reads %x and yields %y.
class Derived {
public:
  Derived(const std::string &table, const std::string &body) : context(makeContext()) {
    std::string text =
        fmt::format(R"(tercet.spec @read(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %t: {0}) {{
    %o = tercet.sparse %q, %k, %v score {{
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      {1}
      %y = arith.addf %s, %x : f32
      tercet.yield %y : f32
    }}
    tercet.return %o
  }})",
                    table, body);
    Result<BoundSpec> loaded = loadSpec(*context, {.text = text, .origin = "read"});
    INFO(text << "\n" << loaded.status().message());
    REQUIRE(loaded.ok());
    spec = *std::move(loaded);
    Result<Program> read = readProgram(spec.spec, {.headDim = 16, .valueDim = 16, .direction = Direction::backward});
    REQUIRE(read.ok());
    program = *std::move(read);
    Result<std::vector<GradientPass>> derived = deriveGradient(program, "read");
    REQUIRE(derived.ok());
    passes = *std::move(derived);
    status = deriveTableGradients(passes);
  }

  /// The one share, and the pass that makes it.
  std::pair<const TableShares *, const GradientPass *> share() const {
    for (const GradientPass &pass : passes)
      if (!pass.tables.empty())
        return {&pass.tables.front(), &pass};
    return {};
  }

  std::vector<std::string> namesApart(bool centres) const {
    std::vector<std::string> names;
    for (const GradientPass &pass : withTablesApart(passes, centres))
      names.push_back(pass.name);
    return names;
  }

private:
  std::unique_ptr<mlir::MLIRContext> context;
  BoundSpec spec;
  Program program;
  std::vector<GradientPass> passes; // their regions use values of the spec

public:
  Status status;
};

void checkKind(const std::string &axes, const std::string &index, Kind kind, bool ofKeys, bool ofTable) {
  std::string type = "!tercet.table<[" + axes + "], f32>";
  Derived derived(type, index + "\n%x = tercet.read %t[" + (axes == "head, query, key" ? "%h, %i, %j" : "%at") +
                            "] : " + type);
  INFO(axes << " " << index << " " << derived.status.message());
  REQUIRE(derived.status.ok());
  auto [share, pass] = derived.share();
  REQUIRE(share);
  CHECK(share->kind == kind);
  CHECK(!share->read.factor); // it is added
  CHECK(pass->ofKeys == ofKeys);
  CHECK(pass->ofTable == ofTable);
}

} // namespace

TEST_CASE("what indices need says where a table's gradient is summed", "[tables]") {
  checkKind("head", "%at = arith.addi %h, %b : index", Kind::queries, false, false);
  checkKind("query", "%at = arith.addi %i, %h : index", Kind::queries, false, false);
  checkKind("key", "%at = arith.subi %j, %h : index", Kind::keys, true, false);
  checkKind("any", "%at = arith.subi %i, %j : index", Kind::entries, false, true);
  checkKind("head, query, key", "", Kind::owned, false, true);
}

TEST_CASE("tables apart have a pass each, behind one that makes the sums that they need again", "[tables]") {
  using Names = std::vector<std::string>;
  auto checkApart = [](const std::string &index, bool centres, const Names &names) {
    Derived derived("!tercet.table<[any], f32>", index + "\n%x = tercet.read %t[%at] : !tercet.table<[any], f32>");
    REQUIRE(derived.status.ok());
    CHECK(derived.namesApart(centres) == names);
  };
  const char *ofHead = "%at = arith.addi %h, %b : index", *ofKey = "%at = arith.subi %j, %h : index",
             *ofPair = "%at = arith.subi %i, %j : index";
  checkApart(ofHead, true, {"gradient_queries", "gradient_queries_dt0", "gradient_keys"}); // takes out the rest itself
  checkApart(ofKey, true, {"gradient_queries", "centre_attend", "gradient_keys", "gradient_keys_dt0"});
  checkApart(ofPair, true, {"gradient_queries", "centre_attend", "gradient_keys", "gradient_attend_dt0"});
  checkApart(ofPair, false, {"gradient_queries", "gradient_keys", "gradient_attend_dt0"});
}

TEST_CASE("steps of an index along a position", "[tables]") {
  auto stepOf = [](const std::string &index) {
    Derived derived("!tercet.table<[any], f32>", index + "\n%x = tercet.read %t[%at] : !tercet.table<[any], f32>");
    REQUIRE(derived.share().first);
    return derived.share().first->read.step(0, 4);
  };
  CHECK(stepOf("%at = arith.subi %j, %i : index") == 1);
  CHECK(stepOf("%d = arith.subi %i, %j : index\n%at = arith.addi %d, %h : index") == -1);
  CHECK(stepOf("%at = arith.muli %i, %i : index") == 0);
  CHECK(stepOf("%at = arith.muli %i, %j : index") == std::nullopt);
}

TEST_CASE("a read at an index that depends on the score is refused, with its place", "[tables]") {
  Derived derived("!tercet.table<[any], f32>",
                  "%n = arith.fptosi %s : f32 to i32\n%at = arith.index_cast %n : i32 to index\n"
                  "%x = tercet.read %t[%at] : !tercet.table<[any], f32>");
  REQUIRE(!derived.status.ok());
  CHECK(derived.status.code() == Code::invalidSpec);
  CHECK(derived.status.message() ==
        "read:6:6: 't' is read at an index that depends on the score, so no gradient of it is "
        "derived; make the index of positions");
}
