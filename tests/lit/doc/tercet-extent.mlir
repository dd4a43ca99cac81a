// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tercet.extent's description.

// CHECK-LABEL: tercet.spec @causal_ends
// CHECK: tercet.extent query
// CHECK: tercet.extent key
tercet.spec @causal_ends(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %past = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %n = tercet.extent query
    %m = tercet.extent key
    %left = arith.addi %j, %n : index
    %right = arith.addi %i, %m : index
    %allowed = arith.cmpi sle, %left, %right : index
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v mask(%past)
  tercet.return %o
}
