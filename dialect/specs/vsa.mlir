// Video Sparse Attention (arXiv:2505.13389): tokens lie in cubes, a block per cube. The cubes whose means score best, rounded up, are
// attended to token by token; attention between the means of cubes is added, times a gate per token and feature. `keep` is 1 - sparsity.
tercet.spec @vsa(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %gate: !tercet.table<[batch, head, query, feature], f32>) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %count_rule = tercet.param count_rule = ceil : !tercet.static<keyword>
  %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep) count(%count_rule)
  tercet.skip %classes[marginal]
  %fine = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale)
  %coarse = tercet.compressed %q, %k, %v pool(%block, %block) queries(%block) scale(%scale)
  %gated = tercet.gate %coarse {
  ^bb0(%b: index, %h: index, %i: index, %e: index):
    %factor = tercet.read %gate[%b, %h, %i, %e] : !tercet.table<[batch, head, query, feature], f32>
    tercet.yield %factor : f32
  }
  %o = tercet.combine sum(%gated, %fine)
  tercet.return %o
}
