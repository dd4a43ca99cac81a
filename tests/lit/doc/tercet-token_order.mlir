// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// RUN: tercet-opt %s --mlir-print-op-generic | tercet-opt | FileCheck %s
// The example of tercet.token_order's description.

// CHECK-LABEL: tercet.spec @cubes
// CHECK: %[[FRAMES:.*]] = tercet.param frames = 8
// CHECK: %[[SIDE:.*]] = tercet.param side = 4
// CHECK: tercet.token_order grid(%[[FRAMES]], %{{.*}}, %{{.*}}) tile(%[[SIDE]], %[[SIDE]], %[[SIDE]]) text(suffix)
tercet.spec @cubes(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %frames = tercet.param frames = 8 : !tercet.runtime<i64>
  %height = tercet.param height = 12 : !tercet.runtime<i64>
  %width = tercet.param width = 12 : !tercet.runtime<i64>
  %side = tercet.param side = 4 : !tercet.static<i64>
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
  tercet.token_order grid(%frames, %height, %width) tile(%side, %side, %side) text(suffix)
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}
