// Dense attention: every block exact. The baseline of every other spec (Vaswani et al. 2017, arXiv:1706.03762).
tercet.spec @dense(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %o = tercet.sparse %q, %k, %v scale(%scale)
  tercet.return %o
}
