// A score region that reads tables by pairs, distances, buckets of distances and keys, one of them twice.
tercet.spec @many_tables(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens,
                         %pairs: !tercet.table<[batch, head, query, key], f32>, %distances: !tercet.table<[head, any], f32>,
                         %buckets: !tercet.table<[8, kv_head], f32>, %gains: !tercet.table<[batch, kv_head, key], f32>) {
  %block = tercet.param block = 32 : !tercet.static<i64>
  %keep = tercet.param keep = 0.6 : !tercet.runtime<f64>
  %reach = tercet.param reach = 20 : !tercet.runtime<i64>
  %near = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %r = tercet.value %reach : !tercet.runtime<i64>
    %end = arith.addi %i, %r : index
    %allowed = arith.cmpi sle, %j, %end : index
    tercet.yield %allowed : i1
  }
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep) mask(%near)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical] mask(%near) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %heads = tercet.extent head
    %kv_heads = tercet.extent kv_head
    %group = arith.divsi %heads, %kv_heads : index
    %g = arith.divsi %h, %group : index
    %half = arith.constant 0.5 : f32
    %middle = tercet.value %reach : !tercet.runtime<i64>
    %sixteen = arith.constant 16 : index
    %back = arith.subi %i, %j : index
    %ahead = arith.subi %j, %i : index
    %distance = arith.maxsi %back, %ahead : index
    %which = arith.divsi %distance, %sixteen : index
    %entry = arith.addi %back, %middle : index
    %gain = tercet.read %gains[%b, %g, %j] : !tercet.table<[batch, kv_head, key], f32>
    %pair = tercet.read %pairs[%b, %h, %i, %j] : !tercet.table<[batch, head, query, key], f32>
    %step = tercet.read %distances[%h, %entry] : !tercet.table<[head, any], f32>
    %first = tercet.read %distances[%h, %j] : !tercet.table<[head, any], f32>
    %bucket = tercet.read %buckets[%which, %g] : !tercet.table<[8, kv_head], f32>
    %scaled = arith.mulf %s, %gain : f32
    %a = arith.addf %scaled, %pair : f32
    %c = arith.mulf %step, %first : f32
    %d = arith.addf %a, %c : f32
    %e = arith.mulf %d, %half : f32
    %t = math.tanh %e : f32
    %y = arith.addf %t, %bucket : f32
    tercet.yield %y : f32
  }
  tercet.return %o
}
