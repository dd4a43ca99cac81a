// MRA-2: the best blocks of a head's whole map and its diagonal exact, every other block by its mean under the same softmax, whose score is
// that of the mean of the query block (arXiv:2207.10284, section 4; 32 x 32 blocks).
tercet.spec @mra2(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block_q = tercet.param block_q = 32 : !tercet.static<i64>
  %block_k = tercet.param block_k = 32 : !tercet.static<i64>
  %scope = tercet.param scope = head : !tercet.static<keyword>
  %diagonal = tercet.param diagonal = true : !tercet.static<flag>
  %forced_counts = tercet.param forced_counts = true : !tercet.static<flag>
  %pooled_queries = tercet.param pooled_queries = true : !tercet.static<flag>
  %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block_q, %block_k)
  %classes = tercet.select %scores keep top_fraction(%keep) diagonal(%diagonal) forced_counts(%forced_counts) scope(%scope)
  %exact = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale)
  %means = tercet.block_mean %q, %k, %v on %classes[marginal] scale(%scale) pooled_queries(%pooled_queries)
  %o = tercet.combine joint(%exact, %means)
  tercet.return %o
}
