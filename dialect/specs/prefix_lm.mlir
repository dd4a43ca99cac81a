// Prefix language model: every token sees the whole prefix of its batch entry, and behind it the past (T5, arXiv:1910.10683,
// figure 3; UniLM, arXiv:1905.03197).
tercet.spec @prefix_lm(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %prefix: !tercet.table<[batch], i32>) {
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %rule = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %length = tercet.read %prefix[%b] : !tercet.table<[batch], i32>
    %given = arith.cmpi slt, %j, %length : index
    %past = arith.cmpi sle, %j, %i : index
    %allowed = arith.ori %given, %past : i1
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v scale(%scale) mask(%rule)
  tercet.return %o
}
