// SLA under a causal mask that aligns the ends of queries and keys.
tercet.spec @causal_sla(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 16 : !tercet.static<i64>
  %linear_over = tercet.param linear_over = marginal : !tercet.static<keyword>
  %forced_counts = tercet.param forced_counts = false : !tercet.static<flag>
  %phi = tercet.param feature_map = elu : !tercet.static<keyword>
  %keep = tercet.param keep = 0.3 : !tercet.runtime<f64>
  %drop = tercet.param drop = 0.2 : !tercet.runtime<f64>
  %sink = tercet.param sink = 1 : !tercet.runtime<i64>
  %past = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %n = tercet.extent query
    %m = tercet.extent key
    %left = arith.addi %j, %n : index
    %right = arith.addi %i, %m : index
    %allowed = arith.cmpi sle, %left, %right : index
    tercet.yield %allowed : i1
  }
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep) drop bottom_fraction(%drop) sink(%sink)
      forced_counts(%forced_counts) mask(%past)
  tercet.skip %classes[negligible]
  %exact = tercet.sparse %q, %k, %v on %classes[critical] mask(%past)
  %rest = tercet.linear %q, %k, %v on %classes[marginal] over(%linear_over) feature_map(%phi)
  %o = tercet.combine sum(%exact, %rest)
  tercet.return %o
}
