// Attention with linear biases: slope times distance is taken from every score, causal (ALiBi, arXiv:2108.12409). The slopes of
// the heads come as a tensor; the paper's are 2^(-8 (h + 1) / H).
tercet.spec @alibi(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %slopes: !tercet.table<[head], f32>) {
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %past = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %allowed = arith.cmpi sle, %j, %i : index
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v scale(%scale) mask(%past) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %slope = tercet.read %slopes[%h] : !tercet.table<[head], f32>
    %back = arith.subi %j, %i : index
    %steps = arith.index_cast %back : index to i32
    %distance = arith.sitofp %steps : i32 to f32
    %bias = arith.mulf %slope, %distance : f32
    %biased = arith.addf %s, %bias : f32
    tercet.yield %biased : f32
  }
  tercet.return %o
}
