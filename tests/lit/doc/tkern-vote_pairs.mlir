// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tkern.vote_pairs's description.

// CHECK-LABEL: tkern.kernel @causal_blocks
// CHECK: %{{.*}}, %{{.*}} = tkern.vote_pairs %[[U:.*]], %[[U]] rows(%{{.*}}, %{{.*}}) cols(%{{.*}}, %{{.*}})
// CHECK: tkern.answer
tkern.kernel @causal_blocks(%i: index, %g: index, %u: index) {
  %c64 = arith.constant 64 : index
  %unknown = arith.constant true
  %row = arith.muli %i, %c64 : index
  %row_end = arith.addi %row, %c64 : index
  %col = arith.muli %g, %c64 : index
  %col_end = arith.addi %col, %c64 : index
  %allows, %forbids = tkern.vote_pairs %unknown, %unknown rows(%row, %row_end) cols(%col, %col_end) {
  ^bb0(%query: i32, %key: i32):
    %past = arith.cmpi sle, %key, %query : i32
    tkern.answer %past
  }
  tkern.end
}
