// Linear attention over all tokens through a feature map (Katharopoulos et al., arXiv:2006.16236; with relu as in SLAB,
// arXiv:2405.11582).
tercet.spec @linear(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %feature_map = tercet.param feature_map = elu : !tercet.static<keyword>
  %eps = tercet.param eps = 0.0 : !tercet.runtime<f64>
  %o = tercet.linear %q, %k, %v feature_map(%feature_map) eps(%eps)
  tercet.return %o
}
