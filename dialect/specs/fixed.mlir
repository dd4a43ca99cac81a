// Sparse Transformer, fixed: the tokens of the query's own segment of `stride` tokens, and the last `summary` tokens of every segment,
// causal (Child et al., arXiv:1904.10509, section 4.2, both factors in one head).
tercet.spec @fixed(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %stride = tercet.param stride = 128 : !tercet.runtime<i64>
  %summary = tercet.param summary = 8 : !tercet.runtime<i64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %rule = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %step = tercet.value %stride : !tercet.runtime<i64>
    %count = tercet.value %summary : !tercet.runtime<i64>
    %mine = arith.divsi %i, %step : index
    %theirs = arith.divsi %j, %step : index
    %together = arith.cmpi eq, %mine, %theirs : index
    %place = arith.remsi %j, %step : index
    %first = arith.subi %step, %count : index
    %is_summary = arith.cmpi sge, %place, %first : index
    %seen = arith.ori %together, %is_summary : i1
    %past = arith.cmpi sle, %j, %i : index
    %allowed = arith.andi %past, %seen : i1
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v scale(%scale) mask(%rule)
  tercet.return %o
}
