// Selection by scores from outside; "routed:RULE" has another rule of keep (SpecSource.h).
tercet.spec @routed(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens,
                    %gate: !tercet.table<[batch, head, query_block, key_block], f32>) {
  %block_q = tercet.param block_q = 16 : !tercet.static<i64>
  %block_k = tercet.param block_k = 16 : !tercet.static<i64>
  %keep = tercet.param keep = 0.3 : !tercet.runtime<f64>
  %drop = tercet.param drop = 0.2 : !tercet.runtime<f64>
  %scope = tercet.param scope = row : !tercet.static<keyword>
  %phi = tercet.param feature_map = elu : !tercet.static<keyword>
  %scores = tercet.given_scores %gate blocks(%block_q, %block_k) : !tercet.table<[batch, head, query_block, key_block], f32>
  %classes = tercet.select %scores keep top_fraction(%keep) drop bottom_fraction(%drop) scope(%scope)
  tercet.skip %classes[negligible]
  %exact = tercet.sparse %q, %k, %v on %classes[critical]
  %rest = tercet.linear %q, %k, %v on %classes[marginal] feature_map(%phi)
  %o = tercet.combine sum(%exact, %rest)
  tercet.return %o
}
