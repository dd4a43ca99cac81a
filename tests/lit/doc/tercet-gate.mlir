// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tercet.gate's description.

// CHECK-LABEL: tercet.spec @blended
// CHECK: %[[EXACT:.*]] = tercet.sparse
// CHECK: %[[REST:.*]] = tercet.linear
// CHECK: %[[MINE:.*]] = tercet.gate %[[EXACT]] {
// CHECK: %[[OTHERS:.*]] = tercet.gate %[[REST]] {
// CHECK: tercet.combine sum(%[[MINE]], %[[OTHERS]])
tercet.spec @blended(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %share: !tercet.table<[batch, head, query_block], f32>) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
  %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  %exact = tercet.sparse %q, %k, %v on %classes[critical]
  %rest = tercet.linear %q, %k, %v on %classes[marginal] feature_map(%phi)
  %mine = tercet.gate %exact {
  ^bb0(%b: index, %h: index, %i: index, %e: index):
    %rows = tercet.value %block : !tercet.static<i64>
    %row = arith.divsi %i, %rows : index
    %a = tercet.read %share[%b, %h, %row] : !tercet.table<[batch, head, query_block], f32>
    tercet.yield %a : f32
  }
  %others = tercet.gate %rest {
  ^bb0(%b: index, %h: index, %i: index, %e: index):
    %one = arith.constant 1.0 : f32
    %rows = tercet.value %block : !tercet.static<i64>
    %row = arith.divsi %i, %rows : index
    %a = tercet.read %share[%b, %h, %row] : !tercet.table<[batch, head, query_block], f32>
    %left = arith.subf %one, %a : f32
    tercet.yield %left : f32
  }
  %o = tercet.combine sum(%mine, %others)
  tercet.return %o
}
