// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tercet.pooled_scores's description.

// CHECK-LABEL: tercet.spec @scores(%q: !tercet.tokens
// CHECK: %[[BQ:.*]] = tercet.param block_q = 128 : !tercet.static<i64>
// CHECK: %[[BK:.*]] = tercet.param block_k = 64
// CHECK: tercet.pooled_scores %q, %k blocks(%[[BQ]], %[[BK]])
tercet.spec @scores(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block_q = tercet.param block_q = 128 : !tercet.static<i64>
  %block_k = tercet.param block_k = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block_q, %block_k)
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}
