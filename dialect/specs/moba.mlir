// MoBA: the block that a query is in, causal, and the `others` earlier blocks of keys whose mean scores best with the query
// (arXiv:2502.13189, section 2.2: top-3 with the own block among them). With block_q above 1 queries are routed in blocks, by
// their means.
tercet.spec @moba(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block_q = tercet.param block_q = 1 : !tercet.static<i64>
  %block_k = tercet.param block_k = 256 : !tercet.static<i64>
  %others = tercet.param others = 2.0 : !tercet.runtime<f64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %past = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %allowed = arith.cmpi sle, %j, %i : index
    tercet.yield %allowed : i1
  }
  %own = tercet.block_set blocks(%block_q, %block_k) {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %rows = tercet.value %block_q : !tercet.static<i64>
    %keys = tercet.value %block_k : !tercet.static<i64>
    %first_row = arith.muli %i, %rows : index
    %mine = arith.divsi %first_row, %keys : index
    %member = arith.cmpi eq, %j, %mine : index
    tercet.yield %member : i1
  }
  %scores = tercet.pooled_scores %q, %k blocks(%block_q, %block_k)
  %classes = tercet.select %scores keep top_count(%others) mask(%past) forced(%own)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale) mask(%past)
  tercet.return %o
}
