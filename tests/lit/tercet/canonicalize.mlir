// RUN: tercet-opt %s --canonicalize | FileCheck %s
// Operands that repeat a default are dropped; the parameters that only they used go with them.

// CHECK-LABEL: tercet.spec @defaults
// CHECK-NOT: count_rule
// CHECK-NOT: linear_over
// CHECK: tercet.select %{{.*}} keep top_fraction(%{{[0-9]+}}) drop bottom_fraction(%{{[0-9]+}}){{$}}
// CHECK: tercet.linear %q, %k, %v on %{{.*}}[marginal] feature_map(%{{[0-9]+}}){{$}}
tercet.spec @defaults(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %count_rule = tercet.param count_rule = floor : !tercet.static<keyword>
  %diagonal = tercet.param diagonal = false : !tercet.static<flag>
  %forced_counts = tercet.param forced_counts = true : !tercet.static<flag>
  %linear_over = tercet.param linear_over = marginal : !tercet.static<keyword>
  %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
  %keep = tercet.param keep = 0.05 : !tercet.runtime<f64>
  %drop = tercet.param drop = 0.1 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep) drop bottom_fraction(%drop) count(%count_rule)
      diagonal(%diagonal) forced_counts(%forced_counts)
  tercet.skip %classes[negligible]
  %exact = tercet.sparse %q, %k, %v on %classes[critical]
  %rest = tercet.linear %q, %k, %v on %classes[marginal] over(%linear_over) feature_map(%phi)
  %o = tercet.combine sum(%exact, %rest)
  tercet.return %o
}

// A forced block gives forced_counts a meaning, and another rule stays.
// CHECK-LABEL: tercet.spec @kept
// CHECK: tercet.select {{.*}} count(%{{[0-9]+}}) sink(%{{[0-9]+}}) forced_counts(%{{[0-9]+}})
tercet.spec @kept(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %count_rule = tercet.param count_rule = ceil : !tercet.static<keyword>
  %forced_counts = tercet.param forced_counts = true : !tercet.static<flag>
  %sink = tercet.param sink = 1 : !tercet.runtime<i64>
  %keep = tercet.param keep = 0.05 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep) count(%count_rule) sink(%sink) forced_counts(%forced_counts)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// So does a block that a set or a guard forces.
// CHECK-LABEL: tercet.spec @forced
// CHECK: tercet.select {{.*}} forced_counts(%{{[0-9]+}}) forced(%{{[0-9]+}})
tercet.spec @forced(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %forced_counts = tercet.param forced_counts = true : !tercet.static<flag>
  %keep = tercet.param keep = 0.05 : !tercet.runtime<f64>
  %column = tercet.block_set blocks(%block, %block) {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %member = arith.cmpi eq, %i, %j : index
    tercet.yield %member : i1
  }
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep) forced_counts(%forced_counts) forced(%column)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// CHECK-LABEL: tercet.spec @guarded
// CHECK: tercet.select {{.*}} forced_counts(%{{[0-9]+}})
tercet.spec @guarded(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %forced_counts = tercet.param forced_counts = true : !tercet.static<flag>
  %keep = tercet.param keep = 0.05 : !tercet.runtime<f64>
  %guard = tercet.param guard = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block) guard(%guard)
  %classes = tercet.select %scores keep top_fraction(%keep) forced_counts(%forced_counts)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}
