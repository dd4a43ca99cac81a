tercet.spec @joint_branches(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 32 : !tercet.static<i64>
  %n = tercet.param n = 48 : !tercet.static<i64>
  %keep = tercet.param keep = 0.3 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  %fine = tercet.sparse %q, %k, %v on %classes[critical]
  %means = tercet.block_mean %q, %k, %v on %classes[marginal]
  %coarse = tercet.compressed %q, %k, %v pool(%block, %block) queries(%n)
  %all = tercet.sparse %q, %k, %v score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %half = arith.constant 0.5 : f32
    %x = arith.mulf %s, %half : f32
    tercet.yield %x : f32
  }
  %o = tercet.combine joint(%all, %fine, %means, %coarse)
  tercet.return %o
}
