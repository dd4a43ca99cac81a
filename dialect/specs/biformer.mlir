// Bi-level routing: every region of queries attends to the `top` regions of keys whose mean key scores best with its mean query; tokens
// lie region by region (BiFormer, arXiv:2303.08810, section 3.2; top 1, 4 or 16 by stage).
tercet.spec @biformer(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block_q = tercet.param block_q = 64 : !tercet.static<i64>
  %block_k = tercet.param block_k = 64 : !tercet.static<i64>
  %top = tercet.param top = 4.0 : !tercet.runtime<f64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block_q, %block_k)
  %classes = tercet.select %scores keep top_count(%top)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale)
  tercet.return %o
}
