// Video Sparse Attention (arXiv:2505.13389): the tokens of a grid of frames x height x width lie in cubes, a block per cube. The cubes whose
// means score best, rounded up, are attended to token by token; attention between the means of cubes is added, times a gate per token and
// feature. `keep` is 1 - sparsity. Cubes at the far edges may be clipped, and text behind the grid takes blocks like cubes; the paper has neither.
tercet.spec @vsa(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %gate: !tercet.table<[batch, head, query, feature], f32>) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %tile_t = tercet.param tile_t = 4 : !tercet.static<i64>
  %tile_y = tercet.param tile_y = 4 : !tercet.static<i64>
  %tile_x = tercet.param tile_x = 4 : !tercet.static<i64>
  %frames = tercet.param frames = 4 : !tercet.runtime<i64>
  %height = tercet.param height = 4 : !tercet.runtime<i64>
  %width = tercet.param width = 8 : !tercet.runtime<i64>
  %count_rule = tercet.param count_rule = ceil : !tercet.static<keyword>
  %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  tercet.token_order grid(%frames, %height, %width) tile(%tile_t, %tile_y, %tile_x) text(suffix)
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
