// A score region whose derivative depends on the score, the query and the key.
tercet.spec @scaled_scores(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens,
                           %gate: !tercet.table<[batch, kv_head, key], f32>,
                           %shift: !tercet.table<[batch, head, query], f32>) {
  %cap = tercet.param cap = 3.0 : !tercet.runtime<f64>
  %o = tercet.sparse %q, %k, %v score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %heads = tercet.extent head
    %kv_heads = tercet.extent kv_head
    %group = arith.divsi %heads, %kv_heads : index
    %g = arith.divsi %h, %group : index
    %factor = tercet.read %gate[%b, %g, %j] : !tercet.table<[batch, kv_head, key], f32>
    %offset = tercet.read %shift[%b, %h, %i] : !tercet.table<[batch, head, query], f32>
    %bound = tercet.value %cap : !tercet.runtime<f64>
    %scaled = arith.mulf %s, %factor : f32
    %moved = arith.addf %scaled, %offset : f32
    %relative = arith.divf %moved, %bound : f32
    %squashed = math.tanh %relative : f32
    %y = arith.mulf %squashed, %bound : f32
    tercet.yield %y : f32
  }
  tercet.return %o
}
