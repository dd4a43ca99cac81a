// Block-sparse attention: the best `keep` of each row's blocks by pooled score exact, the rest skipped. The sparse branch
// of SLA alone (arXiv:2509.24006, table 2, "sparse only"); block top-k as in SpargeAttn (arXiv:2502.18137) without its gates.
tercet.spec @sparse_topk(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block_q = tercet.param block_q = 64 : !tercet.static<i64>
  %block_k = tercet.param block_k = 64 : !tercet.static<i64>
  %count_rule = tercet.param count_rule = floor : !tercet.static<keyword>
  %diagonal = tercet.param diagonal = false : !tercet.static<flag>
  %forced_counts = tercet.param forced_counts = false : !tercet.static<flag>
  %keep = tercet.param keep = 0.05 : !tercet.runtime<f64>
  %min_keep = tercet.param min_keep = 1 : !tercet.runtime<i64>
  %sink = tercet.param sink = 0 : !tercet.runtime<i64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block_q, %block_k)
  %classes = tercet.select %scores keep top_fraction(%keep) count(%count_rule) min_keep(%min_keep) sink(%sink)
      diagonal(%diagonal) forced_counts(%forced_counts)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale)
  tercet.return %o
}
