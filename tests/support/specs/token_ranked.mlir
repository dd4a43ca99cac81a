// Queries that select for themselves, or a few together, with everything that select says about candidates; "token_ranked:RULE" has
// another rule of keep (SpecSource.h).
tercet.spec @token_ranked(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block_q = tercet.param block_q = 1 : !tercet.static<i64>
  %block_k = tercet.param block_k = 16 : !tercet.static<i64>
  %center = tercet.param center = false : !tercet.static<flag>
  %guard = tercet.param guard = 0 : !tercet.runtime<f64>
  %keep = tercet.param keep = 0.3 : !tercet.runtime<f64>
  %drop = tercet.param drop = 0.2 : !tercet.runtime<f64>
  %min_keep = tercet.param min_keep = 1 : !tercet.runtime<i64>
  %max_keep = tercet.param max_keep = 100000 : !tercet.runtime<i64>
  %sink = tercet.param sink = 0 : !tercet.runtime<i64>
  %diagonal = tercet.param diagonal = false : !tercet.static<flag>
  %forced_counts = tercet.param forced_counts = false : !tercet.static<flag>
  %scope = tercet.param scope = row : !tercet.static<keyword>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block_q, %block_k) center(%center) guard(%guard)
  %classes = tercet.select %scores keep top_fraction(%keep) drop bottom_fraction(%drop) min_keep(%min_keep)
      max_keep(%max_keep) sink(%sink) diagonal(%diagonal) forced_counts(%forced_counts) scope(%scope)
  tercet.skip %classes[marginal, negligible]
  %o = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale)
  tercet.return %o
}
