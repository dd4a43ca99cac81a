// Blocks of queries keep the blocks of keys that get some share of the probabilities over means of all runs of keys; the rest is linear.
tercet.spec @pool_shares(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block_q = tercet.param block_q = 32 : !tercet.static<i64>
  %block_k = tercet.param block_k = 16 : !tercet.static<i64>
  %length = tercet.param length = 16 : !tercet.static<i64>
  %stride = tercet.param stride = 8 : !tercet.static<i64>
  %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
  %share = tercet.param share = 0.8 : !tercet.runtime<f64>
  %scores = tercet.compressed_scores %q, %k blocks(%block_q, %block_k) pool(%length, %stride)
  %classes = tercet.select %scores keep relative(%share)
  %exact = tercet.sparse %q, %k, %v on %classes[critical]
  %rest = tercet.linear %q, %k, %v on %classes[marginal] feature_map(%phi)
  %o = tercet.combine sum(%exact, %rest)
  tercet.return %o
}
