// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tercet.compressed_scores's description.

// CHECK-LABEL: tercet.spec @native
// CHECK: tercet.compressed_scores %q, %k blocks(%{{.*}}, %{{.*}}) pool(%{{.*}}, %{{.*}}) weights(%weights : !tercet.table<[kv_head, any], f32>) where {
// CHECK: keep top_count(%{{.*}})
tercet.spec @native(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %weights: !tercet.table<[kv_head, any], f32>) {
  %block_q = tercet.param block_q = 1 : !tercet.static<i64>
  %block_k = tercet.param block_k = 64 : !tercet.static<i64>
  %length = tercet.param length = 32 : !tercet.static<i64>
  %stride = tercet.param stride = 16 : !tercet.static<i64>
  %blocks = tercet.param blocks = 16.0 : !tercet.runtime<f64>
  %past = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %allowed = arith.cmpi sle, %j, %i : index
    tercet.yield %allowed : i1
  }
  %scores = tercet.compressed_scores %q, %k blocks(%block_q, %block_k) pool(%length, %stride) weights(%weights : !tercet.table<[kv_head, any], f32>) where {
  ^bb0(%b: index, %h: index, %i: index, %c: index):
    %n = tercet.value %length : !tercet.static<i64>
    %step = tercet.value %stride : !tercet.static<i64>
    %first = arith.muli %c, %step : index
    %end = arith.addi %first, %n : index
    %passed = arith.cmpi sle, %end, %i : index
    tercet.yield %passed : i1
  }
  %classes = tercet.select %scores keep top_count(%blocks) mask(%past)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical] mask(%past)
  tercet.return %o
}
