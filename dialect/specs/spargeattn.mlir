// SpargeAttn without its quantisation and its skipping inside the loop: blocks of unlike tokens are always computed, and of the others
// the most whose share of a row stays within `mass`, unlike ones being out of the softmax (arXiv:2502.18137, section 3.2; defaults of
// its public code: theta 0.6, tau 0.98, and at least one block that is alike in every row, which the paper does not ask for: min_keep 0).
tercet.spec @spargeattn(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block_q = tercet.param block_q = 128 : !tercet.static<i64>
  %block_k = tercet.param block_k = 64 : !tercet.static<i64>
  %theta = tercet.param theta = 0.6 : !tercet.runtime<f64>
  %mass = tercet.param mass = 0.98 : !tercet.runtime<f64>
  %min_keep = tercet.param min_keep = 1 : !tercet.runtime<i64>
  %apart = tercet.param apart = true : !tercet.static<flag>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block_q, %block_k) guard(%theta)
  %classes = tercet.select %scores keep within_mass(%mass) min_keep(%min_keep) apart(%apart)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale)
  tercet.return %o
}
