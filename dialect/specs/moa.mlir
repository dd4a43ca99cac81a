// MoA: sinks and a causal window whose span is a property of the head (Mixture of Sparse Attention, arXiv:2406.14909). `spans` holds
// the tokens of the window per head.
tercet.spec @moa(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %spans: !tercet.table<[head], i32>) {
  %sink = tercet.param sink = 64 : !tercet.runtime<i64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %rule = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %first_keys = tercet.value %sink : !tercet.runtime<i64>
    %span = tercet.read %spans[%h] : !tercet.table<[head], i32>
    %past = arith.cmpi sle, %j, %i : index
    %is_sink = arith.cmpi slt, %j, %first_keys : index
    %back = arith.subi %i, %j : index
    %is_near = arith.cmpi slt, %back, %span : index
    %seen = arith.ori %is_sink, %is_near : i1
    %allowed = arith.andi %past, %seen : i1
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v scale(%scale) mask(%rule)
  tercet.return %o
}
