// Sliding-window attention: a query sees the keys from `left` tokens before it to `right` tokens after it (Longformer,
// arXiv:2004.05150; with right = 0 the causal window of Mistral 7B, arXiv:2310.06825).
tercet.spec @window(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %left = tercet.param left = 256 : !tercet.runtime<i64>
  %right = tercet.param right = 256 : !tercet.runtime<i64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %near = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %before = tercet.value %left : !tercet.runtime<i64>
    %after = tercet.value %right : !tercet.runtime<i64>
    %first = arith.subi %i, %before : index
    %last = arith.addi %i, %after : index
    %late = arith.cmpi sge, %j, %first : index
    %early = arith.cmpi sle, %j, %last : index
    %allowed = arith.andi %late, %early : i1
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v scale(%scale) mask(%near)
  tercet.return %o
}
