// Scores bounded by cap * tanh(s / cap), causal (Gemma 2, arXiv:2408.00118, section 2).
tercet.spec @softcap(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %cap = tercet.param cap = 50.0 : !tercet.runtime<f64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %past = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %allowed = arith.cmpi sle, %j, %i : index
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v scale(%scale) mask(%past) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %bound = tercet.value %cap : !tercet.runtime<f64>
    %relative = arith.divf %s, %bound : f32
    %squashed = math.tanh %relative : f32
    %capped = arith.mulf %squashed, %bound : f32
    tercet.yield %capped : f32
  }
  tercet.return %o
}
