// Centred scores with a guard, the first two key blocks forced and every fifth forbidden (SpargeAttn, arXiv 2502.18137).
tercet.spec @guarded(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 16 : !tercet.static<i64>
  %center = tercet.param center = true : !tercet.static<flag>
  %guard = tercet.param guard = 0.2 : !tercet.runtime<f64>
  %mass = tercet.param mass = 0.5 : !tercet.runtime<f64>
  %first = tercet.block_set blocks(%block, %block) {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %two = arith.constant 2 : index
    %member = arith.cmpi slt, %j, %two : index
    tercet.yield %member : i1
  }
  %fifth = tercet.block_set blocks(%block, %block) {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %five = arith.constant 5 : index
    %zero = arith.constant 0 : index
    %sum = arith.addi %i, %j : index
    %rest = arith.remsi %sum, %five : index
    %member = arith.cmpi eq, %rest, %zero : index
    tercet.yield %member : i1
  }
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block) center(%center) guard(%guard)
  %classes = tercet.select %scores keep top_mass(%mass) forced(%first) forbidden(%fifth)
  tercet.skip %classes[marginal, negligible]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}
