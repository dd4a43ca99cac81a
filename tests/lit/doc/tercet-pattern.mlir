// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tercet.pattern's description.

// CHECK-LABEL: tercet.spec @same_offset
// CHECK: %[[SET:.*]] = tercet.block_set
// CHECK: tercet.pattern %[[SET]]
tercet.spec @same_offset(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %column = tercet.block_set blocks(%block, %block) {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %frame = arith.constant 8 : index
    %x = arith.remsi %i, %frame : index
    %y = arith.remsi %j, %frame : index
    %member = arith.cmpi eq, %x, %y : index
    tercet.yield %member : i1
  }
  %classes = tercet.pattern %column
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}
