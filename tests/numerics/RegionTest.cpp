// The arithmetic of regions, value by value: one query and one key, whose log-sum-exp is what a score region yields.
#include "Tiny.h"
#include "support/SpecSource.h"

#include <cmath>

using namespace tercet;
using namespace tercet::reference;
using namespace tercet::test;

namespace {

/// What `body` yields as %y for the score 3 at query 1 and key 2 of batch 0 and head 0. The other keys are masked.
double yielded(const std::string &body, Tiny tiny = {}, const std::string &arguments = "",
               const std::string &parameters = "") {
  std::string text = "tercet.spec @region(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens" + arguments +
                     R"() {
    %one = tercet.param scale = 1.0 : !tercet.runtime<f64>
    )" + parameters + R"(
    %only = tercet.mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %two = arith.constant 2 : index
      %allowed = arith.cmpi eq, %j, %two : index
      tercet.yield %allowed : i1
    }
    %o = tercet.sparse %q, %k, %v scale(%one) mask(%only) score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      )" + body + R"(
      tercet.yield %y : f32
    }
    tercet.return %o
  })";
  Program program = programOf({.text = text});
  tiny.tokens("q", {{1}, {1}, {1}}).tokens("k", {{0}, {0}, {3}, {0}}).tokens("v", {{1}, {1}, {1}, {1}});
  auto evaluation = evaluate(program, tiny.arguments(), {.rows = std::vector<RowIndex>{{0, 0, 1}}});
  INFO(body << "\n" << evaluation.status().message());
  REQUIRE(evaluation.ok());
  return evaluation->result().lse[0];
}

/// The value of an integer op on two i32 constants.
double ofIntegers(const std::string &op, int64_t a, int64_t b) {
  return yielded(fmt::format("%x = arith.constant {} : i32\n%z = arith.constant {} : i32\n%w = {} %x, %z : i32\n"
                             "%y = arith.sitofp %w : i32 to f32",
                             a, b, op));
}

/// Whether a comparison of two constants of `type` holds.
bool holds(const std::string &compare, const std::string &type, const std::string &a, const std::string &b) {
  std::string typed = type == "i1" ? "" : " : " + type;
  return yielded(fmt::format("%x = arith.constant {}{}\n%z = arith.constant {}{}\n%c = {} %x, %z : {}\n"
                             "%t = arith.constant 1.0 : f32\n%f = arith.constant 0.0 : f32\n"
                             "%y = arith.select %c, %t, %f : f32",
                             a, typed, b, typed, compare, type)) == 1;
}

/// The value of a float op on constants written as in the IR.
double ofFloats(const std::string &op, const std::vector<std::string> &constants) {
  std::string text, operands;
  for (size_t index = 0; index < constants.size(); ++index) {
    text += fmt::format("%x{} = arith.constant {} : f32\n", index, constants[index]);
    operands += fmt::format("{}%x{}", index ? ", " : "", index);
  }
  return yielded(fmt::format("{}%y = {} {} : f32", text, op, operands));
}

constexpr int64_t least = -2147483648, most = 2147483647;

} // namespace

TEST_CASE("a region sees its pair", "[regions]") {
  for (auto [index, value] : {std::pair{"%b", 0.0}, {"%h", 0.0}, {"%i", 1.0}, {"%j", 2.0}})
    CHECK(yielded(fmt::format("%w = arith.index_cast {} : index to i32\n%y = arith.sitofp %w : i32 to f32", index)) ==
          value);
  CHECK(yielded("%y = arith.addf %s, %s : f32") == 6);
}

TEST_CASE("integers are 32-bit and wrap", "[regions]") {
  CHECK(ofIntegers("arith.addi", most, 1) == least);
  CHECK(ofIntegers("arith.subi", least, 1) == 2147483648.0); // most, as f32
  CHECK(ofIntegers("arith.muli", 65536, 65536) == 0);
  CHECK(ofIntegers("arith.muli", 46341, 46341) == -2147479040); // 46341^2 - 2^32 is -2147479015
  CHECK(yielded("%x = arith.constant 4294967298 : index\n%w = arith.index_cast %x : index to i32\n"
                "%y = arith.sitofp %w : i32 to f32") == 2);
}

TEST_CASE("division by zero gives zero, and so does its remainder", "[regions]") {
  for (const char *op : {"arith.divsi", "arith.remsi", "arith.floordivsi", "arith.ceildivsi"})
    for (int64_t a : {int64_t(7), int64_t(-7), int64_t(0), least})
      CHECK(ofIntegers(op, a, 0) == 0);
  CHECK(ofIntegers("arith.divsi", least, -1) == least);
  CHECK(ofIntegers("arith.remsi", least, -1) == 0);
  CHECK(ofIntegers("arith.divsi", -7, 2) == -3);
  CHECK(ofIntegers("arith.remsi", -7, 2) == -1);
  CHECK(ofIntegers("arith.floordivsi", -7, 2) == -4);
  CHECK(ofIntegers("arith.floordivsi", -8, 2) == -4);
  CHECK(ofIntegers("arith.floordivsi", 7, -2) == -4);
  CHECK(ofIntegers("arith.ceildivsi", 7, 2) == 4);
  CHECK(ofIntegers("arith.ceildivsi", -7, 2) == -3);
  CHECK(ofIntegers("arith.ceildivsi", 7, -2) == -3);
}

TEST_CASE("shifts by 32 or more give zero or the sign", "[regions]") {
  CHECK(ofIntegers("arith.shli", 3, 4) == 48);
  CHECK(ofIntegers("arith.shli", 3, 31) == least);
  CHECK(ofIntegers("arith.shrsi", -9, 1) == -5);
  for (int64_t amount : {int64_t(32), int64_t(1000), int64_t(-1)}) {
    CHECK(ofIntegers("arith.shli", 3, amount) == 0);
    CHECK(ofIntegers("arith.shrsi", 3, amount) == 0);
    CHECK(ofIntegers("arith.shrsi", -3, amount) == -1);
  }
}

TEST_CASE("other ops of integers", "[regions]") {
  CHECK(ofIntegers("arith.minsi", -3, 2) == -3);
  CHECK(ofIntegers("arith.maxsi", -3, 2) == 2);
  CHECK(ofIntegers("arith.andi", 12, 10) == 8);
  CHECK(ofIntegers("arith.ori", 12, 10) == 14);
  CHECK(ofIntegers("arith.xori", -1, 10) == -11);
  CHECK(yielded("%x = arith.constant -5 : i32\n%w = math.absi %x : i32\n%y = arith.sitofp %w : i32 to f32") == 5);
  CHECK(holds("arith.cmpi slt,", "i32", "-1", "1"));
  CHECK_FALSE(holds("arith.cmpi ult,", "i32", "-1", "1"));
  CHECK(holds("arith.cmpi uge,", "i32", "-1", "1"));
  for (const char *predicate : {"eq", "sle", "sge", "ule", "uge"})
    CHECK(holds(fmt::format("arith.cmpi {},", predicate), "index", "4", "4"));
  for (const char *predicate : {"ne", "slt", "sgt", "ult", "ugt"})
    CHECK_FALSE(holds(fmt::format("arith.cmpi {},", predicate), "index", "4", "4"));
  CHECK(holds("arith.cmpi ne,", "i1", "true", "false"));
}

TEST_CASE("conversions to integers round towards zero and stay within 32 bits", "[regions]") {
  auto converted = [](const char *number) {
    return yielded(fmt::format("%x = arith.constant {} : f32\n%w = arith.fptosi %x : f32 to i32\n"
                               "%y = arith.sitofp %w : i32 to f32",
                               number));
  };
  CHECK(converted("2.9") == 2);
  CHECK(converted("-2.9") == -2);
  CHECK(converted("1.0e20") == 2147483648.0);
  CHECK(converted("-1.0e20") == least);
  CHECK(converted("0xFF800000") == least); // -inf
  CHECK(converted("0x7FC00000") == 0);     // NaN
}

TEST_CASE("comparisons of numbers know the unordered", "[regions]") {
  const std::string unordered = "0x7FC00000";
  struct {
    const char *predicate;
    bool less, equal, greater, unordered;
  } rows[] = {
      {"false", false, false, false, false}, {"oeq", false, true, false, false}, {"ogt", false, false, true, false},
      {"oge", false, true, true, false},     {"olt", true, false, false, false}, {"ole", true, true, false, false},
      {"one", true, false, true, false},     {"ord", true, true, true, false},   {"ueq", false, true, false, true},
      {"ugt", false, false, true, true},     {"uge", false, true, true, true},   {"ult", true, false, false, true},
      {"ule", true, true, false, true},      {"une", true, false, true, true},   {"uno", false, false, false, true},
      {"true", true, true, true, true}};
  for (auto [predicate, less, equal, greater, isUnordered] : rows) {
    std::string compare = fmt::format("arith.cmpf {},", predicate);
    CHECK(holds(compare, "f32", "1.0", "2.0") == less);
    CHECK(holds(compare, "f32", "2.0", "2.0") == equal);
    CHECK(holds(compare, "f32", "3.0", "2.0") == greater);
    CHECK(holds(compare, "f32", unordered, "2.0") == isUnordered);
  }
}

TEST_CASE("ops of numbers", "[regions]") {
  CHECK(ofFloats("arith.subf", {"5.0", "7.0"}) == -2);
  CHECK(ofFloats("arith.mulf", {"5.0", "7.0"}) == 35);
  CHECK(ofFloats("arith.divf", {"7.0", "2.0"}) == 3.5);
  CHECK(ofFloats("arith.negf", {"7.0"}) == -7);
  CHECK(ofFloats("arith.maximumf", {"1.0", "2.0"}) == 2);
  CHECK(ofFloats("arith.minimumf", {"1.0", "2.0"}) == 1);
  CHECK(std::isnan(ofFloats("arith.maximumf", {"1.0", "0x7FC00000"})));
  CHECK(std::isnan(ofFloats("arith.minimumf", {"0x7FC00000", "1.0"})));
  CHECK(ofFloats("arith.maxnumf", {"1.0", "0x7FC00000"}) == 1);
  CHECK(ofFloats("arith.minnumf", {"0x7FC00000", "1.0"}) == 1);
  CHECK(ofFloats("arith.maxnumf", {"-1.0", "2.0"}) == 2);
  CHECK(ofFloats("arith.minnumf", {"-1.0", "2.0"}) == -1);
  CHECK(ofFloats("math.exp", {"1.0"}) == Approx(std::exp(1.0)));
  CHECK(ofFloats("math.exp2", {"-3.0"}) == 0.125);
  CHECK(ofFloats("math.log", {"2.0"}) == Approx(std::log(2.0)));
  CHECK(ofFloats("math.log2", {"8.0"}) == 3);
  CHECK(ofFloats("math.tanh", {"0.5"}) == Approx(std::tanh(0.5)));
  CHECK(ofFloats("math.sqrt", {"9.0"}) == 3);
  CHECK(ofFloats("math.rsqrt", {"4.0"}) == 0.5);
  CHECK(ofFloats("math.absf", {"-9.0"}) == 9);
  CHECK(ofFloats("math.floor", {"-1.5"}) == -2);
  CHECK(ofFloats("math.ceil", {"-1.5"}) == -1);
  CHECK(ofFloats("math.fma", {"2.0", "3.0", "4.0"}) == 10);
}

TEST_CASE("numbers are f32 until the score enters", "[regions]") {
  CHECK(ofFloats("arith.addf", {"16777216.0", "1.0"}) == 16777216);
  CHECK(yielded("%x = arith.constant 16777213.0 : f32\n%w = arith.addf %s, %x : f32\n"
                "%z = arith.constant 1.0 : f32\n%y = arith.addf %w, %z : f32") == 16777217);
}

TEST_CASE("reads go to the nearest entry of every axis", "[regions]") {
  auto read = [](const std::string &index) {
    Tiny tiny;
    tiny.vector("bias", DType::f32, {10, 11, 12, 13});
    return yielded(fmt::format("%x = arith.constant {} : index\n"
                               "%y = tercet.read %bias[%x] : !tercet.table<[4], f32>",
                               index),
                   std::move(tiny), ", %bias: !tercet.table<[4], f32>");
  };
  CHECK(read("2") == 12);
  CHECK(read("-1") == 10);
  CHECK(read("-2147483648") == 10);
  CHECK(read("4") == 13);
  CHECK(read("2147483647") == 13);
  Tiny tiny;
  tiny.vector("segment", DType::i32, {-7});
  CHECK(yielded("%x = tercet.read %segment[%j] : !tercet.table<[key], i32>\n%w = arith.index_cast %x : index to i32\n"
                "%y = arith.sitofp %w : i32 to f32",
                std::move(tiny), ", %segment: !tercet.table<[key], i32>") == -7);
}

TEST_CASE("parameters come in as what they are", "[regions]") {
  const std::string parameters = "%cap = tercet.param cap = 0.1 : !tercet.runtime<f64>\n"
                                 "%window = tercet.param window = 5 : !tercet.runtime<i64>\n"
                                 "%on = tercet.param on = true : !tercet.static<flag>\n";
  const std::string body = "%c = tercet.value %cap : !tercet.runtime<f64>\n"
                           "%n = tercet.value %window : !tercet.runtime<i64>\n"
                           "%f = tercet.value %on : !tercet.static<flag>\n"
                           "%m = arith.index_cast %n : index to i32\n%w = arith.sitofp %m : i32 to f32\n"
                           "%y = arith.select %f, {}, %s : f32";
  CHECK(yielded(fmt::format(fmt::runtime(body), "%c"), {}, "", parameters) == double(0.1f));
  CHECK(yielded(fmt::format(fmt::runtime(body), "%w"), {}, "", parameters) == 5);
  Tiny tiny;
  tiny.parameter("window", -9);
  CHECK(yielded(fmt::format(fmt::runtime(body), "%w"), std::move(tiny), "", parameters) == -9);
}

TEST_CASE("extents are those of the batch entry and of the call", "[regions]") {
  auto extent = [](const char *name) {
    Tiny tiny;
    tiny.vector("q_len", DType::i32, {2}).vector("k_len", DType::i32, {3});
    return yielded(fmt::format("%n = tercet.extent {}\n%m = arith.index_cast %n : index to i32\n"
                               "%y = arith.sitofp %m : i32 to f32",
                               name),
                   std::move(tiny));
  };
  CHECK(extent("query") == 2);
  CHECK(extent("key") == 3);
  CHECK(extent("head") == 1);
  CHECK(extent("kv_head") == 1);
}
