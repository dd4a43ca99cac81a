// Block-sparse global attention for multi-view geometry: of each row of blocks the fewest that hold `mass` of the pooled softmax, and no
// fewer than `min_keep`; the first `special` blocks, of camera and register tokens, see and are seen by everything, and have no part
// in that mass and number (Faster VGGT, arXiv:2509.07120).
tercet.spec @vggt(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block_q = tercet.param block_q = 128 : !tercet.static<i64>
  %block_k = tercet.param block_k = 128 : !tercet.static<i64>
  %apart = tercet.param apart = true : !tercet.static<flag>
  %mass = tercet.param mass = 0.9 : !tercet.runtime<f64>
  %min_keep = tercet.param min_keep = 2 : !tercet.runtime<i64>
  %special = tercet.param special = 1 : !tercet.runtime<i64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %special_blocks = tercet.block_set blocks(%block_q, %block_k) {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %count = tercet.value %special : !tercet.runtime<i64>
    %nearest = arith.minsi %i, %j : index
    %member = arith.cmpi slt, %nearest, %count : index
    tercet.yield %member : i1
  }
  %scores = tercet.pooled_scores %q, %k blocks(%block_q, %block_k)
  %classes = tercet.select %scores keep top_mass(%mass) min_keep(%min_keep) apart(%apart) forced(%special_blocks)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale)
  tercet.return %o
}
