// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tercet.block_set's description.

// CHECK-LABEL: tercet.spec @streaming
// CHECK: %[[SET:.*]] = tercet.block_set blocks(%[[B:.*]], %[[B]]) {
// CHECK: tercet.pattern %[[SET]]
tercet.spec @streaming(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %band = tercet.block_set blocks(%block, %block) {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %zero = arith.constant 0 : index
    %two = arith.constant 2 : index
    %first = arith.cmpi eq, %j, %zero : index
    %back = arith.subi %i, %j : index
    %ahead = arith.subi %j, %i : index
    %distance = arith.maxsi %back, %ahead : index
    %near = arith.cmpi sle, %distance, %two : index
    %member = arith.ori %first, %near : i1
    tercet.yield %member : i1
  }
  %classes = tercet.pattern %band
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}
