// Causal attention: a query sees the keys up to its own position (arXiv:1706.03762, section 3.2.3). Where
// queries and keys differ in number, `align_ends` says which ends meet: false aligns the first tokens (top left), true the last
// (bottom right), as when the queries continue a cache of keys.
tercet.spec @causal(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %align_ends = tercet.param align_ends = false : !tercet.static<flag>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %past = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %ends = tercet.value %align_ends : !tercet.static<flag>
    %n = tercet.extent query
    %m = tercet.extent key
    %surplus = arith.subi %m, %n : index
    %zero = arith.constant 0 : index
    %offset = arith.select %ends, %surplus, %zero : index
    %last = arith.addi %i, %offset : index
    %allowed = arith.cmpi sle, %j, %last : index
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v scale(%scale) mask(%past)
  tercet.return %o
}
