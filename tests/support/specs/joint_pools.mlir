// Chosen blocks and pools of all tokens, without weights, under one softmax.
tercet.spec @joint_pools(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 32 : !tercet.static<i64>
  %keep = tercet.param keep = 0.3 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %fine = tercet.sparse %q, %k, %v on %classes[critical]
  %coarse = tercet.compressed %q, %k, %v pool(%block, %block)
  %o = tercet.combine joint(%fine, %coarse)
  tercet.return %o
}
