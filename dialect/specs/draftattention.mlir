// DraftAttention: pooled queries and keys of patches, and one threshold over the whole map of a head, below which its lowest `threshold`
// of block pairs, by the softmax of their rows, are skipped; tokens lie in patch order (arXiv:2505.14708, section 3.2; default sparsity 0.9).
tercet.spec @draftattention(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block_q = tercet.param block_q = 128 : !tercet.static<i64>
  %block_k = tercet.param block_k = 128 : !tercet.static<i64>
  %scope = tercet.param scope = head : !tercet.static<keyword>
  %by_share = tercet.param by_share = true : !tercet.static<flag>
  %threshold = tercet.param threshold = 0.9 : !tercet.runtime<f64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block_q, %block_k)
  %classes = tercet.select %scores keep percentile(%threshold) by_share(%by_share) scope(%scope)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale)
  tercet.return %o
}
