// A learned bias per head and distance, distances clamped at both ends (Shaw et al., arXiv:1803.02155, with scalars as in T5,
// arXiv:1910.10683). `bias` holds the entries for j - i = -reach .. reach; its middle is distance 0.
tercet.spec @relative_bias(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %bias: !tercet.table<[head, any], f32>) {
  %reach = tercet.param reach = 8 : !tercet.runtime<i64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %o = tercet.sparse %q, %k, %v scale(%scale) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %middle = tercet.value %reach : !tercet.runtime<i64>
    %distance = arith.subi %j, %i : index
    %entry = arith.addi %distance, %middle : index
    %x = tercet.read %bias[%h, %entry] : !tercet.table<[head, any], f32>
    %biased = arith.addf %s, %x : f32
    tercet.yield %biased : f32
  }
  tercet.return %o
}
