// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tercet.compressed's description.

// CHECK-LABEL: tercet.spec @pools
// CHECK: tercet.compressed %q, %k, %v pool(%{{.*}}, %{{.*}}) where {
// CHECK: tercet.yield %{{.*}} : i1
tercet.spec @pools(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %length = tercet.param length = 32 : !tercet.static<i64>
  %stride = tercet.param stride = 16 : !tercet.static<i64>
  %o = tercet.compressed %q, %k, %v pool(%length, %stride) where {
  ^bb0(%b: index, %h: index, %i: index, %c: index):
    %n = tercet.value %length : !tercet.static<i64>
    %step = tercet.value %stride : !tercet.static<i64>
    %first = arith.muli %c, %step : index
    %end = arith.addi %first, %n : index
    %past = arith.cmpi sle, %end, %i : index
    tercet.yield %past : i1
  }
  tercet.return %o
}
