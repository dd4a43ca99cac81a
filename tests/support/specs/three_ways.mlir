// A class each way: exact, by means under the same softmax, and linear.
tercet.spec @three_ways(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %w: !tercet.weight, %bias: !tercet.weight) {
  %block = tercet.param block = 32 : !tercet.static<i64>
  %keep = tercet.param keep = 0.3 : !tercet.runtime<f64>
  %drop = tercet.param drop = 0.4 : !tercet.runtime<f64>
  %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
  %eps = tercet.param eps = 0.0 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep) drop bottom_fraction(%drop)
  %fine = tercet.sparse %q, %k, %v on %classes[critical]
  %means = tercet.block_mean %q, %k, %v on %classes[marginal]
  %rest = tercet.linear %q, %k, %v on %classes[negligible] feature_map(%phi) eps(%eps)
  %projected = tercet.project %rest, %w, %bias
  %joint = tercet.combine joint(%fine, %means)
  %o = tercet.combine sum(%joint, %projected)
  tercet.return %o
}
