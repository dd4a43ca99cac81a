// SeerAttention with its gate scores handed in: blocks whose share of the gate's softmax reaches a threshold, the last two rows of
// blocks and the diagonal dense, causal (arXiv:2410.13276, section 3; `gate` holds the scores before their softmax).
tercet.spec @seerattention(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens,
                           %gate: !tercet.table<[batch, head, query_block, key_block], f32>) {
  %block_q = tercet.param block_q = 64 : !tercet.static<i64>
  %block_k = tercet.param block_k = 64 : !tercet.static<i64>
  %diagonal = tercet.param diagonal = true : !tercet.static<flag>
  %threshold = tercet.param threshold = 0.002 : !tercet.runtime<f64>
  %min_keep = tercet.param min_keep = 0 : !tercet.runtime<i64>
  %dense_rows = tercet.param dense_rows = 2 : !tercet.runtime<i64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %past = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %allowed = arith.cmpi sle, %j, %i : index
    tercet.yield %allowed : i1
  }
  %last_rows = tercet.block_set blocks(%block_q, %block_k) {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %tokens = tercet.extent query
    %block = tercet.value %block_q : !tercet.static<i64>
    %rows = arith.ceildivsi %tokens, %block : index
    %count = tercet.value %dense_rows : !tercet.runtime<i64>
    %first = arith.subi %rows, %count : index
    %member = arith.cmpi sge, %i, %first : index
    tercet.yield %member : i1
  }
  %scores = tercet.given_scores %gate blocks(%block_q, %block_k) : !tercet.table<[batch, head, query_block, key_block], f32>
  %classes = tercet.select %scores keep above(%threshold) min_keep(%min_keep) diagonal(%diagonal) mask(%past) forced(%last_rows)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale) mask(%past)
  tercet.return %o
}
