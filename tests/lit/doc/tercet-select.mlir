// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tercet.select's description.

// CHECK-LABEL: tercet.spec @select
// CHECK: %[[SCORES:.*]] = tercet.pooled_scores
// CHECK: tercet.select %[[SCORES]] keep top_fraction(%{{.*}}) drop bottom_fraction(%{{.*}}) count(%{{.*}}) min_keep(%{{.*}})
tercet.spec @select(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.05 : !tercet.runtime<f64>
  %drop = tercet.param drop = 0.1 : !tercet.runtime<f64>
  %rule = tercet.param count_rule = floor : !tercet.static<keyword>
  %min = tercet.param min_keep = 1 : !tercet.runtime<i64>
  %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep) drop bottom_fraction(%drop) count(%rule) min_keep(%min)
  tercet.skip %classes[negligible]
  %exact = tercet.sparse %q, %k, %v on %classes[critical]
  %rest = tercet.linear %q, %k, %v on %classes[marginal] feature_map(%phi)
  %o = tercet.combine sum(%exact, %rest)
  tercet.return %o
}
