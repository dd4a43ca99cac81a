// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tercet.block_mean's description.

// CHECK-LABEL: tercet.spec @means
// CHECK: %[[EXACT:.*]] = tercet.sparse
// CHECK: %[[MEANS:.*]] = tercet.block_mean %q, %k, %v on %{{.*}}[marginal]
// CHECK: tercet.combine joint(%[[EXACT]], %[[MEANS]])
tercet.spec @means(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.05 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  %exact = tercet.sparse %q, %k, %v on %classes[critical]
  %means = tercet.block_mean %q, %k, %v on %classes[marginal]
  %o = tercet.combine joint(%exact, %means)
  tercet.return %o
}
