// XAttention: block scores from sums over anti-diagonals; the first column, the diagonal, and with them the fewest best blocks that hold
// `mass` of a row, causal (arXiv:2503.16428, section 2; defaults of its public code: stride 8, threshold 0.9). The mask leaves whole
// blocks of the past, so that the diagonal's share counts as the paper has it; what lies ahead inside the diagonal goes by its score.
// One difference: the sums of a diagonal block hold its pairs ahead, too.
tercet.spec @xattention(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block_q = tercet.param block_q = 128 : !tercet.static<i64>
  %block_k = tercet.param block_k = 128 : !tercet.static<i64>
  %stride = tercet.param stride = 8 : !tercet.static<i64>
  %diagonal = tercet.param diagonal = true : !tercet.static<flag>
  %forced_counts = tercet.param forced_counts = true : !tercet.static<flag>
  %mass = tercet.param mass = 0.9 : !tercet.runtime<f64>
  %sink = tercet.param sink = 1 : !tercet.runtime<i64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %past_blocks = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %rows = tercet.value %block_q : !tercet.static<i64>
    %keys = tercet.value %block_k : !tercet.static<i64>
    %one = arith.constant 1 : index
    %i_block = arith.divsi %i, %rows : index
    %next_block = arith.addi %i_block, %one : index
    %next_row = arith.muli %next_block, %rows : index
    %last_row = arith.subi %next_row, %one : index
    %last_block = arith.divsi %last_row, %keys : index
    %j_block = arith.divsi %j, %keys : index
    %allowed = arith.cmpi sle, %j_block, %last_block : index
    tercet.yield %allowed : i1
  }
  %scores = tercet.sampled_scores %q, %k blocks(%block_q, %block_k) stride(%stride)
  %classes = tercet.select %scores keep top_mass(%mass) sink(%sink) diagonal(%diagonal) forced_counts(%forced_counts)
      mask(%past_blocks)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale) mask(%past_blocks) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %never = arith.constant 0xFF800000 : f32
    %past = arith.cmpi sle, %j, %i : index
    %score = arith.select %past, %s, %never : f32
    tercet.yield %score : f32
  }
  tercet.return %o
}
