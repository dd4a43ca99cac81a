// Exact and projected linear attention, blended by a share per query block.
tercet.spec @blended(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %w: !tercet.weight, %bias: !tercet.weight, %share: !tercet.table<[batch, head, query_block], f32>) {
  %block = tercet.param block = 32 : !tercet.static<i64>
  %keep = tercet.param keep = 0.3 : !tercet.runtime<f64>
  %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
  %over = tercet.param linear_over = marginal : !tercet.static<keyword>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  %exact = tercet.sparse %q, %k, %v on %classes[critical]
  %rest = tercet.linear %q, %k, %v on %classes[marginal] over(%over) feature_map(%phi)
  %projected = tercet.project %rest, %w, %bias
  %mine = tercet.gate %exact {
  ^bb0(%b: index, %h: index, %i: index, %e: index):
    %rows = tercet.value %block : !tercet.static<i64>
    %row = arith.divsi %i, %rows : index
    %a = tercet.read %share[%b, %h, %row] : !tercet.table<[batch, head, query_block], f32>
    tercet.yield %a : f32
  }
  %others = tercet.gate %projected {
  ^bb0(%b: index, %h: index, %i: index, %e: index):
    %one = arith.constant 1.0 : f32
    %rows = tercet.value %block : !tercet.static<i64>
    %row = arith.divsi %i, %rows : index
    %a = tercet.read %share[%b, %h, %row] : !tercet.table<[batch, head, query_block], f32>
    %left = arith.subf %one, %a : f32
    tercet.yield %left : f32
  }
  %o = tercet.combine sum(%mine, %others)
  tercet.return %o
}
