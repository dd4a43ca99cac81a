// PowerAttention: a sink of blocks, a causal band of blocks, and the blocks at distances of powers of two (arXiv:2503.03588).
tercet.spec @power(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block_q = tercet.param block_q = 64 : !tercet.static<i64>
  %block_k = tercet.param block_k = 64 : !tercet.static<i64>
  %sink = tercet.param sink = 1 : !tercet.runtime<i64>
  %band = tercet.param band = 2 : !tercet.runtime<i64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %past = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %allowed = arith.cmpi sle, %j, %i : index
    tercet.yield %allowed : i1
  }
  %set = tercet.block_set blocks(%block_q, %block_k) {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %first_blocks = tercet.value %sink : !tercet.runtime<i64>
    %width = tercet.value %band : !tercet.runtime<i64>
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %is_sink = arith.cmpi slt, %j, %first_blocks : index
    %back = arith.subi %i, %j : index
    %is_near = arith.cmpi slt, %back, %width : index
    %less = arith.subi %back, %one : index
    %common = arith.andi %back, %less : index
    %single_bit = arith.cmpi eq, %common, %zero : index
    %near_or_sink = arith.ori %is_sink, %is_near : i1
    %member = arith.ori %near_or_sink, %single_bit : i1
    tercet.yield %member : i1
  }
  %classes = tercet.pattern %set mask(%past)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale) mask(%past)
  tercet.return %o
}
