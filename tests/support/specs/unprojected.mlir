// SLA without a projection: the branches' outputs added as they are.
tercet.spec @unprojected(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 16 : !tercet.static<i64>
  %feature_map = tercet.param feature_map = softmax : !tercet.static<keyword>
  %keep = tercet.param keep = 0.2 : !tercet.runtime<f64>
  %drop = tercet.param drop = 0.2 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep) drop bottom_fraction(%drop)
  tercet.skip %classes[negligible]
  %exact = tercet.sparse %q, %k, %v on %classes[critical]
  %rest = tercet.linear %q, %k, %v on %classes[marginal] feature_map(%feature_map)
  %o = tercet.combine sum(%exact, %rest)
  tercet.return %o
}
