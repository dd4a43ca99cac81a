// Scores from outside, their mass over a scope, with budgets per head and an upper bound.
tercet.spec @gated(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens,
                   %gate: !tercet.table<[batch, head, query_block, key_block], f32>,
                   %budgets: !tercet.table<[head], f32>) {
  %block = tercet.param block = 16 : !tercet.static<i64>
  %scope = tercet.param scope = row : !tercet.static<keyword>
  %mass = tercet.param mass = 0.6 : !tercet.runtime<f64>
  %most = tercet.param most = 1000 : !tercet.runtime<i64>
  %scores = tercet.given_scores %gate blocks(%block, %block) : !tercet.table<[batch, head, query_block, key_block], f32>
  %classes = tercet.select %scores keep top_mass(%mass) max_keep(%most) scope(%scope)
      budgets(%budgets : !tercet.table<[head], f32>)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}
