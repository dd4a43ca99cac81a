// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// RUN: tercet-opt %s --mlir-print-op-generic | tercet-opt | FileCheck %s
// What is printed parses to the same program, from the pretty and from the generic syntax.

// CHECK-LABEL: tercet.spec @everything(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %weight: !tercet.weight, %bias: !tercet.weight)
// CHECK-SAME: attributes {doc = "all clauses", extra = 1 : i32} {
tercet.spec @everything(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %weight: !tercet.weight,
                        %bias: !tercet.weight) attributes {doc = "all clauses", extra = 1 : i32} {
  // CHECK: %[[BLOCK:.*]] = tercet.param block = 64 : !tercet.static<i64>
  %block = tercet.param block = 64 : !tercet.static<i64>
  // CHECK: %[[KEEP:.*]] = tercet.param keep = 2.000000e+00 {note = "a whole number"} : !tercet.runtime<f64>
  %keep = tercet.param keep = 2 {note = "a whole number"} : !tercet.runtime<f64>
  // CHECK: %[[DROP:.*]] = tercet.param drop = 3.000000e+00 : !tercet.runtime<f64>
  %drop = tercet.param drop = 3.0 : !tercet.runtime<f64>
  // CHECK: %[[ON:.*]] = tercet.param on = true : !tercet.static<flag>
  %on = tercet.param on = true : !tercet.static<flag>
  // CHECK: %[[OFF:.*]] = tercet.param off = false : !tercet.static<flag>
  %off = tercet.param off = false : !tercet.static<flag>
  // CHECK: %[[RULE:.*]] = tercet.param count_rule = ceil : !tercet.static<keyword>
  %rule = tercet.param "count_rule" = ceil : !tercet.static<keyword>
  // CHECK: %[[PHI:.*]] = tercet.param feature_map = softmax : !tercet.static<keyword>
  %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
  // CHECK: %[[OVER:.*]] = tercet.param linear_over = all : !tercet.static<keyword>
  %over = tercet.param linear_over = all : !tercet.static<keyword>
  // CHECK: %[[MIN:.*]] = tercet.param min_keep = 0 : !tercet.runtime<i64>
  %min = tercet.param min_keep = 0 : !tercet.runtime<i64>
  // CHECK: %[[SINK:.*]] = tercet.param sink = 9223372036854775807 : !tercet.runtime<i64>
  %sink = tercet.param sink = 9223372036854775807 : !tercet.runtime<i64>
  // CHECK: %[[EPS:.*]] = tercet.param eps = 1.000000e-05 : !tercet.runtime<f64>
  %eps = tercet.param eps = 1.0e-5 : !tercet.runtime<f64>
  // CHECK: %[[SCALE:.*]] = tercet.param scale = auto : !tercet.runtime<f64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  // CHECK: %[[SCORES:.*]] = tercet.pooled_scores %q, %k blocks(%[[BLOCK]], %[[BLOCK]])
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // CHECK: %[[CLASSES:.*]] = tercet.select %[[SCORES]] keep top_count(%[[KEEP]]) drop bottom_count(%[[DROP]])
  // CHECK-SAME: count(%[[RULE]]) min_keep(%[[MIN]]) sink(%[[SINK]]) diagonal(%[[ON]]) forced_counts(%[[OFF]])
  %classes = tercet.select %scores keep top_count(%keep) drop bottom_count(%drop) count(%rule) min_keep(%min) sink(%sink)
      diagonal(%on) forced_counts(%off)
  // CHECK: %[[EXACT:.*]] = tercet.sparse %q, %k, %v on %[[CLASSES]][critical] scale(%[[SCALE]])
  %exact = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale)
  // CHECK: %[[REST:.*]] = tercet.linear %q, %k, %v on %[[CLASSES]][marginal, negligible] over(%[[OVER]])
  // CHECK-SAME: feature_map(%[[PHI]]) eps(%[[EPS]])
  %rest = tercet.linear %q, %k, %v on %classes[negligible, marginal] over(%over) feature_map(%phi) eps(%eps)
  // CHECK: %[[PROJ:.*]] = tercet.project %[[REST]], %weight, %bias
  %proj = tercet.project %rest, %weight, %bias
  // CHECK: %[[O:.*]] = tercet.combine sum(%[[EXACT]], %[[PROJ]])
  %o = tercet.combine sum(%exact, %proj)
  // CHECK: tercet.return %[[O]]
  tercet.return %o
}

// CHECK-LABEL: tercet.spec @joint
tercet.spec @joint(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 16 : !tercet.static<i64>
  // CHECK: tercet.param keep = 1.000000e-01 : !tercet.runtime<f64>
  %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
  %scale = tercet.param scale = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // CHECK: %[[CLASSES:.*]] = tercet.select %{{.*}} keep top_fraction(%{{.*}}) drop bottom_fraction(%{{.*}})
  %classes = tercet.select %scores keep top_fraction(%keep) drop bottom_fraction(%keep)
  // CHECK: tercet.skip %[[CLASSES]][negligible]
  tercet.skip %classes[negligible]
  // CHECK: %[[EXACT:.*]] = tercet.sparse %q, %k, %v on %[[CLASSES]][critical] scale(%[[SCALE:.*]])
  %exact = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale)
  // CHECK: %[[POOLED:.*]] = tercet.param pooled = true : !tercet.static<flag>
  %pooled = tercet.param pooled = true : !tercet.static<flag>
  // CHECK: %[[MEANS:.*]] = tercet.block_mean %q, %k, %v on %[[CLASSES]][marginal] scale(%[[SCALE]]) pooled_queries(%[[POOLED]])
  %means = tercet.block_mean %q, %k, %v on %classes[marginal] scale(%scale) pooled_queries(%pooled)
  // CHECK: tercet.combine joint(%[[EXACT]], %[[MEANS]])
  %o = tercet.combine joint(%exact, %means)
  tercet.return %o
}

// CHECK-LABEL: tercet.spec @branches
tercet.spec @branches(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %a: !tercet.table<[kv_head, any], f32>, %gate: !tercet.table<[batch, head, query, feature], f32>, %which: !tercet.table<[head], i32>) {
  %n = tercet.param n = 32 : !tercet.static<i64>
  %step = tercet.param step = 16 : !tercet.static<i64>
  %scale = tercet.param scale = 0.5 : !tercet.runtime<f64>
  // CHECK: %[[ALL:.*]] = tercet.sparse %q, %k, %v
  %all = tercet.sparse %q, %k, %v
  // CHECK: %[[POOLS:.*]] = tercet.compressed %q, %k, %v pool(%[[N:.*]], %[[STEP:.*]]) queries(%[[N]])
  // CHECK-SAME: weights(%a, %a : !tercet.table<[kv_head, any], f32>, !tercet.table<[kv_head, any], f32>) scale(%{{.*}}) score {
  %pools = tercet.compressed %q, %k, %v pool(%n, %step) queries(%n) weights(%a, %a : !tercet.table<[kv_head, any], f32>, !tercet.table<[kv_head, any], f32>) scale(%scale) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %c: index):
    tercet.yield %s : f32
  }
  // CHECK: %[[JOINT:.*]] = tercet.combine joint(%[[ALL]], %[[POOLS]])
  %joint = tercet.combine joint(%all, %pools)
  // CHECK: %[[GATED:.*]] = tercet.gate %[[JOINT]] {
  // CHECK: tercet.read %gate[%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}] : <[batch, head, query, feature], f32>
  %gated = tercet.gate %joint {
  ^bb0(%b: index, %h: index, %i: index, %e: index):
    %x = tercet.read %gate[%b, %h, %i, %e] : !tercet.table<[batch, head, query, feature], f32>
    tercet.yield %x : f32
  }
  // CHECK: %[[WHOLE:.*]] = tercet.sparse %q, %k, %v
  %whole = tercet.sparse %q, %k, %v
  // CHECK: tercet.combine by_head(%[[GATED]], %[[WHOLE]]) choice(%which : !tercet.table<[head], i32>)
  %o = tercet.combine by_head(%gated, %whole) choice(%which : !tercet.table<[head], i32>)
  tercet.return %o
}
