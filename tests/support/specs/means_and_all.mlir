// Exact and block means under a mask, beside linear attention to every full block.
tercet.spec @means_and_all(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 32 : !tercet.static<i64>
  %keep = tercet.param keep = 0.2 : !tercet.runtime<f64>
  %phi = tercet.param feature_map = elu : !tercet.static<keyword>
  %causal = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %n = tercet.extent query
    %m = tercet.extent key
    %row = arith.addi %i, %m : index
    %col = arith.addi %j, %n : index
    %allowed = arith.cmpi sle, %col, %row : index
    tercet.yield %allowed : i1
  }
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep) mask(%causal)
  %fine = tercet.sparse %q, %k, %v on %classes[critical] mask(%causal)
  %means = tercet.block_mean %q, %k, %v on %classes[marginal]
  %rest = tercet.linear %q, %k, %v feature_map(%phi)
  %joint = tercet.combine joint(%fine, %means)
  %half = tercet.gate %rest {
  ^bb0(%b: index, %h: index, %i: index, %e: index):
    %x = arith.constant 0.5 : f32
    tercet.yield %x : f32
  }
  %o = tercet.combine sum(%joint, %half)
  tercet.return %o
}
