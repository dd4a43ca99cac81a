// S2-Attention: a causal band of local blocks and every stride-th block before it, at an offset that differs from head to head, so
// that the heads together see everything (arXiv:2407.17678, section 3).
tercet.spec @s2(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block_q = tercet.param block_q = 64 : !tercet.static<i64>
  %block_k = tercet.param block_k = 64 : !tercet.static<i64>
  %band = tercet.param band = 2 : !tercet.runtime<i64>
  %stride = tercet.param stride = 4 : !tercet.runtime<i64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %past = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %allowed = arith.cmpi sle, %j, %i : index
    tercet.yield %allowed : i1
  }
  %set = tercet.block_set blocks(%block_q, %block_k) {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %width = tercet.value %band : !tercet.runtime<i64>
    %step = tercet.value %stride : !tercet.runtime<i64>
    %back = arith.subi %i, %j : index
    %is_near = arith.cmpi slt, %back, %width : index
    %offset = arith.remsi %h, %step : index
    %phase = arith.remsi %j, %step : index
    %in_phase = arith.cmpi eq, %phase, %offset : index
    %member = arith.ori %is_near, %in_phase : i1
    tercet.yield %member : i1
  }
  %classes = tercet.pattern %set mask(%past)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale) mask(%past)
  tercet.return %o
}
