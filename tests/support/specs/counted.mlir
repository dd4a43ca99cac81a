// SLA with counts instead of fractions.
tercet.spec @counted(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %w: !tercet.weight, %b: !tercet.weight) {
  %block = tercet.param block = 16 : !tercet.static<i64>
  %feature_map = tercet.param feature_map = softmax : !tercet.static<keyword>
  %keep = tercet.param keep = 2.0 : !tercet.runtime<f64>
  %drop = tercet.param drop = 3.0 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_count(%keep) drop bottom_count(%drop)
  tercet.skip %classes[negligible]
  %exact = tercet.sparse %q, %k, %v on %classes[critical]
  %rest = tercet.linear %q, %k, %v on %classes[marginal] feature_map(%feature_map)
  %proj = tercet.project %rest, %w, %b
  %o = tercet.combine sum(%exact, %proj)
  tercet.return %o
}
