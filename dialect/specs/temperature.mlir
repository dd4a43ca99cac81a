// A temperature per query and head, which the model computes: scores are multiplied by `inverse` of their query, causal (Selective
// Self-Attention, arXiv:2411.12892, without its temperatures of values).
tercet.spec @temperature(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens,
                         %inverse: !tercet.table<[batch, head, query], f32>) {
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %past = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %allowed = arith.cmpi sle, %j, %i : index
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v scale(%scale) mask(%past) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %factor = tercet.read %inverse[%b, %h, %i] : !tercet.table<[batch, head, query], f32>
    %score = arith.mulf %s, %factor : f32
    tercet.yield %score : f32
  }
  tercet.return %o
}
