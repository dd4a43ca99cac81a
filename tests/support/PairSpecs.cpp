#include "PairSpecs.h"

#include <fmt/format.h>

namespace tercet::test {
namespace {

Spec denseSpec(const std::string &arguments, const std::string &head, const std::string &sparse) {
  return {.text = fmt::format("tercet.spec @pairs(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens{}) {{\n"
                              "{}\n%o = tercet.sparse %q, %k, %v {}\ntercet.return %o\n}}\n",
                              arguments, head, sparse)};
}

} // namespace

Spec maskedSpec(const std::string &body, const std::string &arguments, const std::string &parameters) {
  std::string mask = fmt::format("%m = tercet.mask {{\n^bb0(%b: index, %h: index, %i: index, %j: index):\n{}\n"
                                 "tercet.yield %allowed : i1\n}}",
                                 body);
  return denseSpec(arguments, parameters + "\n" + mask, "mask(%m)");
}

Spec scoredSpec(const std::string &body, const std::string &arguments, const std::string &parameters) {
  return denseSpec(arguments, parameters,
                   fmt::format("score {{\n^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):\n{}\n"
                               "tercet.yield %y : f32\n}}",
                               body));
}

Spec causalBeginnings() { return maskedSpec("%allowed = arith.cmpi sle, %j, %i : index"); }

Spec causalEnds() {
  return maskedSpec("%n = tercet.extent query\n%m_ = tercet.extent key\n%left = arith.addi %j, %n : index\n"
                    "%right = arith.addi %i, %m_ : index\n%allowed = arith.cmpi sle, %left, %right : index");
}

Spec causalWindow() {
  return maskedSpec("%w = tercet.value %window : !tercet.runtime<i64>\n%past = arith.cmpi sle, %j, %i : index\n"
                    "%back = arith.subi %i, %j : index\n%inside = arith.cmpi slt, %back, %w : index\n"
                    "%allowed = arith.andi %past, %inside : i1",
                    "", "%window = tercet.param window = 6 : !tercet.runtime<i64>");
}

Spec documents() {
  return maskedSpec("%x = tercet.read %segment[%b, %i] : !tercet.table<[batch, key], i32>\n"
                    "%y = tercet.read %segment[%b, %j] : !tercet.table<[batch, key], i32>\n"
                    "%allowed = arith.cmpi eq, %x, %y : index",
                    ", %segment: !tercet.table<[batch, key], i32>");
}

Spec alibi() {
  return scoredSpec("%slope = tercet.read %slopes[%h] : !tercet.table<[head], f32>\n%back = arith.subi %j, %i : index\n"
                    "%distance = arith.index_cast %back : index to i32\n%d = arith.sitofp %distance : i32 to f32\n"
                    "%bias = arith.mulf %slope, %d : f32\n%y = arith.addf %s, %bias : f32",
                    ", %slopes: !tercet.table<[head], f32>");
}

Spec softcap() {
  return scoredSpec("%cap = arith.constant 2.0 : f32\n%x = arith.divf %s, %cap : f32\n%t = math.tanh %x : f32\n"
                    "%y = arith.mulf %t, %cap : f32");
}

Spec relativeBias() {
  return scoredSpec("%eight = arith.constant 8 : index\n%back = arith.subi %j, %i : index\n"
                    "%bucket = arith.addi %back, %eight : index\n"
                    "%bias_ = tercet.read %bias[%h, %bucket] : !tercet.table<[head, 17], f32>\n"
                    "%y = arith.addf %s, %bias_ : f32",
                    ", %bias: !tercet.table<[head, 17], f32>");
}

Spec gatedPairs() {
  return scoredSpec("%heads = tercet.extent head\n%kv_heads = tercet.extent kv_head\n"
                    "%group = arith.divsi %heads, %kv_heads : index\n%g = arith.divsi %h, %group : index\n"
                    "%gate_ = tercet.read %gate[%b, %g, %j] : !tercet.table<[batch, kv_head, key], f32>\n"
                    "%zero = arith.constant 0 : index\n"
                    "%bias = tercet.read %query_bias[%b, %zero, %i] : !tercet.table<[batch, head, query], f32>\n"
                    "%scaled = arith.mulf %s, %gate_ : f32\n%y = arith.addf %scaled, %bias : f32",
                    ", %gate: !tercet.table<[batch, kv_head, key], f32>, "
                    "%query_bias: !tercet.table<[batch, head, query], f32>");
}

Spec everyThirdKey() {
  return scoredSpec("%three = arith.constant 3 : index\n%zero = arith.constant 0 : index\n"
                    "%rest = arith.remsi %j, %three : index\n%live = arith.cmpi eq, %rest, %zero : index\n"
                    "%nothing = arith.constant 0xFF800000 : f32\n%y = arith.select %live, %s, %nothing : f32");
}

} // namespace tercet::test
