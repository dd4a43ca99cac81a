// Block means: the best blocks exact, every other block enters the same softmax by its mean key and mean value, weighted by
// its token count. Needs no training; the marginal treatment of Sol-Attn and of multi-resolution attention (MRA,
// arXiv:2207.10284).
tercet.spec @block_mean(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block_q = tercet.param block_q = 64 : !tercet.static<i64>
  %block_k = tercet.param block_k = 64 : !tercet.static<i64>
  %count_rule = tercet.param count_rule = floor : !tercet.static<keyword>
  %diagonal = tercet.param diagonal = false : !tercet.static<flag>
  %forced_counts = tercet.param forced_counts = false : !tercet.static<flag>
  %pooled_queries = tercet.param pooled_queries = false : !tercet.static<flag>
  %keep = tercet.param keep = 0.05 : !tercet.runtime<f64>
  %drop = tercet.param drop = 0.0 : !tercet.runtime<f64>
  %min_keep = tercet.param min_keep = 1 : !tercet.runtime<i64>
  %sink = tercet.param sink = 0 : !tercet.runtime<i64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block_q, %block_k)
  %classes = tercet.select %scores keep top_fraction(%keep) drop bottom_fraction(%drop) count(%count_rule)
      min_keep(%min_keep) sink(%sink) diagonal(%diagonal) forced_counts(%forced_counts)
  tercet.skip %classes[negligible]
  %exact = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale)
  %means = tercet.block_mean %q, %k, %v on %classes[marginal] scale(%scale) pooled_queries(%pooled_queries)
  %o = tercet.combine joint(%exact, %means)
  tercet.return %o
}
