// A bias added to every score, handed in as a tensor of which any axis may be 1 (the attention masks of T5, arXiv:1910.10683, and
// AlphaFold's pair bias; the dense form of FlashBias, arXiv:2505.12044). A bias per key alone multiplies what the softmax gives that
// key by its exponential and renormalises, as calibration of attention sinks does (ACT, arXiv:2406.15765).
tercet.spec @bias(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens,
                  %bias: !tercet.table<[batch, head, query, key], f32>) {
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %o = tercet.sparse %q, %k, %v scale(%scale) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %x = tercet.read %bias[%b, %h, %i, %j] : !tercet.table<[batch, head, query, key], f32>
    %score = arith.addf %s, %x : f32
    tercet.yield %score : f32
  }
  tercet.return %o
}
