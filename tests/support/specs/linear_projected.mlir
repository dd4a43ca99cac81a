// The linear branch of SLA alone, after its projection.
tercet.spec @linear_projected(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %w: !tercet.weight, %b: !tercet.weight) {
  %block_q = tercet.param block_q = 64 : !tercet.static<i64>
  %block_k = tercet.param block_k = 64 : !tercet.static<i64>
  %feature_map = tercet.param feature_map = softmax : !tercet.static<keyword>
  %linear_over = tercet.param linear_over = marginal : !tercet.static<keyword>
  %keep = tercet.param keep = 0.05 : !tercet.runtime<f64>
  %drop = tercet.param drop = 0.1 : !tercet.runtime<f64>
  %eps = tercet.param eps = 0.0 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block_q, %block_k)
  %classes = tercet.select %scores keep top_fraction(%keep) drop bottom_fraction(%drop)
  tercet.skip %classes[critical, negligible]
  %rest = tercet.linear %q, %k, %v on %classes[marginal] over(%linear_over) feature_map(%feature_map) eps(%eps)
  %o = tercet.project %rest, %w, %b
  tercet.return %o
}
