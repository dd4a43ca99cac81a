// DraftAttention: pooled queries and keys of patches, and one threshold over the whole map of a head, below which its lowest `threshold`
// of block pairs are skipped; tokens lie in patch order (arXiv:2505.14708, section 3.2; default sparsity 0.9). One difference: pairs are
// ranked by their scores, where the paper takes the softmax of every row first.
tercet.spec @draftattention(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block_q = tercet.param block_q = 128 : !tercet.static<i64>
  %block_k = tercet.param block_k = 128 : !tercet.static<i64>
  %scope = tercet.param scope = head : !tercet.static<keyword>
  %threshold = tercet.param threshold = 0.9 : !tercet.runtime<f64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block_q, %block_k)
  %classes = tercet.select %scores keep percentile(%threshold) scope(%scope)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale)
  tercet.return %o
}
