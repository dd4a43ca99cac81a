// Blocks with a share of the row's anti-diagonals (XAttention, arXiv 2503.16428).
tercet.spec @sampled(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 16 : !tercet.static<i64>
  %stride = tercet.param stride = 4 : !tercet.static<i64>
  %share = tercet.param share = 0.8 : !tercet.runtime<f64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %scores = tercet.sampled_scores %q, %k blocks(%block, %block) stride(%stride)
  %classes = tercet.select %scores keep relative(%share)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale)
  tercet.return %o
}
