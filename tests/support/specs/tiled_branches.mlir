// Branches that a token order has to reach: one softmax over blocks, means and pools with regions of their own; pooled queries under a gate;
// heads that see pools alone.
tercet.spec @tiled_branches(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %g: !tercet.table<[batch, head, query, feature], f32>, %bias: !tercet.table<[head, query, key_block], f32>, %which: !tercet.table<[head], i32>) {
  %block = tercet.param block = 16 : !tercet.static<i64>
  %keep = tercet.param keep = 0.3 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  %fine = tercet.sparse %q, %k, %v on %classes[critical]
  %means = tercet.block_mean %q, %k, %v on %classes[marginal]
  %coarse = tercet.compressed %q, %k, %v pool(%block, %block) where {
  ^bb0(%b: index, %h: index, %i: index, %c: index):
    %three = arith.constant 3 : index
    %zero = arith.constant 0 : index
    %sum = arith.addi %i, %c : index
    %rest = arith.remsi %sum, %three : index
    %seen = arith.cmpi ne, %rest, %zero : index
    tercet.yield %seen : i1
  } score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %c: index):
    %t = tercet.read %bias[%h, %i, %c] : !tercet.table<[head, query, key_block], f32>
    %x = arith.addf %s, %t : f32
    tercet.yield %x : f32
  }
  %one = tercet.combine joint(%fine, %means, %coarse)
  %pooled = tercet.compressed %q, %k, %v pool(%block, %block) queries(%block)
  %gated = tercet.gate %pooled {
  ^bb0(%b: index, %h: index, %i: index, %e: index):
    %x = tercet.read %g[%b, %h, %i, %e] : !tercet.table<[batch, head, query, feature], f32>
    tercet.yield %x : f32
  }
  %both = tercet.combine sum(%one, %gated)
  %alone = tercet.compressed %q, %k, %v pool(%block, %block)
  %o = tercet.combine by_head(%both, %alone) choice(%which : !tercet.table<[head], i32>)
  tercet.return %o
}
