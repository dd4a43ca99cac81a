// Branches over all keys beside tiles: under one softmax with them, in a sum, and alone; some of them see a window of positions.
tercet.spec @tiled_all(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %g: !tercet.table<[head, query], f32>, %bias: !tercet.table<[head, key], f32>, %which: !tercet.table<[head], i32>) {
  %block = tercet.param block = 16 : !tercet.static<i64>
  %window = tercet.param window = 9 : !tercet.runtime<i64>
  %keep = tercet.param keep = 0.3 : !tercet.runtime<f64>
  %near = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %w = tercet.value %window : !tercet.runtime<i64>
    %d = arith.subi %i, %j : index
    %away = math.absi %d : index
    %seen = arith.cmpi sle, %away, %w : index
    tercet.yield %seen : i1
  }
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %fine = tercet.sparse %q, %k, %v on %classes[critical]
  %local = tercet.sparse %q, %k, %v mask(%near) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %n = tercet.extent key
    %last = arith.constant 1 : index
    %end = arith.subi %n, %last : index
    %from = arith.subi %end, %j : index
    %t = tercet.read %bias[%h, %from] : !tercet.table<[head, key], f32>
    %x = arith.addf %s, %t : f32
    tercet.yield %x : f32
  }
  %both = tercet.combine joint(%local, %fine)
  %whole = tercet.sparse %q, %k, %v
  %share = tercet.gate %whole {
  ^bb0(%b: index, %h: index, %i: index, %e: index):
    %x = tercet.read %g[%h, %i] : !tercet.table<[head, query], f32>
    tercet.yield %x : f32
  }
  %sum = tercet.combine sum(%both, %share)
  %alone = tercet.sparse %q, %k, %v mask(%near)
  %o = tercet.combine by_head(%sum, %alone) choice(%which : !tercet.table<[head], i32>)
  tercet.return %o
}
