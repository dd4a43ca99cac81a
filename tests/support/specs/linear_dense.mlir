// Linear attention over every key (Katharopoulos et al. 2020, arXiv:2006.16236), without classification.
tercet.spec @linear_dense(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %feature_map = tercet.param feature_map = softmax : !tercet.static<keyword>
  %eps = tercet.param eps = 0.0 : !tercet.runtime<f64>
  %o = tercet.linear %q, %k, %v feature_map(%feature_map) eps(%eps)
  tercet.return %o
}
