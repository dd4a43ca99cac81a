tercet.spec @pooled_queries(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %g: !tercet.table<[batch, head, query, feature], f32>) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.3 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %fine = tercet.sparse %q, %k, %v on %classes[critical]
  %coarse = tercet.compressed %q, %k, %v pool(%block, %block) queries(%block)
  %gated = tercet.gate %coarse {
  ^bb0(%b: index, %h: index, %i: index, %e: index):
    %x = tercet.read %g[%b, %h, %i, %e] : !tercet.table<[batch, head, query, feature], f32>
    tercet.yield %x : f32
  }
  %o = tercet.combine sum(%gated, %fine)
  tercet.return %o
}
