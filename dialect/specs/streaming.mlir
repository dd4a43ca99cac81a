// Attention sinks and a causal window: the first `sink` keys and the last `window` keys up to the query (StreamingLLM,
// arXiv:2309.17453; the A-shape of MInference, arXiv:2407.02490).
tercet.spec @streaming(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %sink = tercet.param sink = 4 : !tercet.runtime<i64>
  %window = tercet.param window = 1024 : !tercet.runtime<i64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %rule = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %first_keys = tercet.value %sink : !tercet.runtime<i64>
    %width = tercet.value %window : !tercet.runtime<i64>
    %past = arith.cmpi sle, %j, %i : index
    %is_sink = arith.cmpi slt, %j, %first_keys : index
    %back = arith.subi %i, %j : index
    %is_near = arith.cmpi slt, %back, %width : index
    %seen = arith.ori %is_sink, %is_near : i1
    %allowed = arith.andi %past, %seen : i1
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v scale(%scale) mask(%rule)
  tercet.return %o
}
