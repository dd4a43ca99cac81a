// SLA as the public checkpoints run it (the authors' main branch, TurboDiffusion, FastVideo): linear branch over all
// blocks with eps 1e-5, 128 x 64 blocks, 10 % exact, nothing skipped (arXiv:2509.24006 and its public code).
tercet.spec @sla_all(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %w: !tercet.weight, %b: !tercet.weight) {
  %block_q = tercet.param block_q = 128 : !tercet.static<i64>
  %block_k = tercet.param block_k = 64 : !tercet.static<i64>
  %feature_map = tercet.param feature_map = softmax : !tercet.static<keyword>
  %linear_over = tercet.param linear_over = all : !tercet.static<keyword>
  %count_rule = tercet.param count_rule = floor : !tercet.static<keyword>
  %diagonal = tercet.param diagonal = false : !tercet.static<flag>
  %forced_counts = tercet.param forced_counts = false : !tercet.static<flag>
  %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
  %drop = tercet.param drop = 0.0 : !tercet.runtime<f64>
  %min_keep = tercet.param min_keep = 1 : !tercet.runtime<i64>
  %sink = tercet.param sink = 0 : !tercet.runtime<i64>
  %eps = tercet.param eps = 1.0e-5 : !tercet.runtime<f64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block_q, %block_k)
  %classes = tercet.select %scores keep top_fraction(%keep) drop bottom_fraction(%drop) count(%count_rule)
      min_keep(%min_keep) sink(%sink) diagonal(%diagonal) forced_counts(%forced_counts)
  tercet.skip %classes[negligible]
  %exact = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale)
  %rest = tercet.linear %q, %k, %v on %classes[marginal] over(%linear_over) feature_map(%feature_map) eps(%eps)
  %proj = tercet.project %rest, %w, %b
  %o = tercet.combine sum(%exact, %proj)
  tercet.return %o
}
