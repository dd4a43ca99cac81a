tercet.spec @heads_apart(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %w: !tercet.weight, %bias: !tercet.weight, %which: !tercet.table<[head], i32>) {
  %block = tercet.param block = 32 : !tercet.static<i64>
  %keep = tercet.param keep = 0.3 : !tercet.runtime<f64>
  %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  %fine = tercet.sparse %q, %k, %v on %classes[critical]
  %rest = tercet.linear %q, %k, %v on %classes[marginal] feature_map(%phi)
  %p = tercet.project %rest, %w, %bias
  %all = tercet.sparse %q, %k, %v
  %g = tercet.gate %p {
  ^bb0(%b: index, %h: index, %i: index, %e: index):
    %half = arith.constant 0.5 : f32
    tercet.yield %half : f32
  }
  %s = tercet.combine sum(%fine, %g)
  %o = tercet.combine by_head(%s, %all) choice(%which : !tercet.table<[head], i32>)
  tercet.return %o
}
