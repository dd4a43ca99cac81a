// XAttention: block scores from sums over anti-diagonals; the fewest blocks that hold `mass` of a row, the first column and the
// diagonal among them, causal (arXiv:2503.16428, section 2; defaults of its public code: stride 8, threshold 0.9).
tercet.spec @xattention(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block_q = tercet.param block_q = 128 : !tercet.static<i64>
  %block_k = tercet.param block_k = 128 : !tercet.static<i64>
  %stride = tercet.param stride = 8 : !tercet.static<i64>
  %diagonal = tercet.param diagonal = true : !tercet.static<flag>
  %forced_counts = tercet.param forced_counts = true : !tercet.static<flag>
  %mass = tercet.param mass = 0.9 : !tercet.runtime<f64>
  %sink = tercet.param sink = 1 : !tercet.runtime<i64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %past = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %allowed = arith.cmpi sle, %j, %i : index
    tercet.yield %allowed : i1
  }
  %scores = tercet.sampled_scores %q, %k blocks(%block_q, %block_k) stride(%stride)
  %classes = tercet.select %scores keep top_mass(%mass) sink(%sink) diagonal(%diagonal) forced_counts(%forced_counts) mask(%past)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale) mask(%past)
  tercet.return %o
}
