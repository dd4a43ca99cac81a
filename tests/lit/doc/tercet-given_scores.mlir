// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tercet.given_scores's description.

// CHECK-LABEL: tercet.spec @gated
// CHECK: tercet.given_scores %gate blocks(%[[B:.*]], %[[B]]) : <[batch, head, query_block, key_block], f32>
tercet.spec @gated(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens,
                   %gate: !tercet.table<[batch, head, query_block, key_block], f32>) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
  %scores = tercet.given_scores %gate blocks(%block, %block) : !tercet.table<[batch, head, query_block, key_block], f32>
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}
