// Sparse Transformer, strided: a causal window of `stride` tokens, and every stride-th token before (Child et al.,
// arXiv:1904.10509, section 4.2, both factors in one head).
tercet.spec @strided(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %stride = tercet.param stride = 128 : !tercet.runtime<i64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %rule = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %step = tercet.value %stride : !tercet.runtime<i64>
    %zero = arith.constant 0 : index
    %past = arith.cmpi sle, %j, %i : index
    %back = arith.subi %i, %j : index
    %near = arith.cmpi slt, %back, %step : index
    %phase = arith.remsi %back, %step : index
    %in_phase = arith.cmpi eq, %phase, %zero : index
    %seen = arith.ori %near, %in_phase : i1
    %allowed = arith.andi %past, %seen : i1
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v scale(%scale) mask(%rule)
  tercet.return %o
}
