// Scores from outside, one per query (or few) and key block, under a mask that cuts blocks, with sets that force and forbid, and a
// score region.
tercet.spec @token_routed(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens,
                          %gate: !tercet.table<[batch, head, query_block, key_block], f32>, %slopes: !tercet.table<[head], f32>) {
  %block_q = tercet.param block_q = 1 : !tercet.static<i64>
  %block_k = tercet.param block_k = 16 : !tercet.static<i64>
  %keep = tercet.param keep = 0.3 : !tercet.runtime<f64>
  %reach = tercet.param reach = 90 : !tercet.runtime<i64>
  %near = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %most = tercet.value %reach : !tercet.runtime<i64>
    %back = arith.subi %i, %j : index
    %ahead = arith.subi %j, %i : index
    %distance = arith.maxsi %back, %ahead : index
    %allowed = arith.cmpi sle, %distance, %most : index
    tercet.yield %allowed : i1
  }
  %always = tercet.block_set blocks(%block_q, %block_k) {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %seven = arith.constant 7 : index
    %two = arith.constant 2 : index
    %sum = arith.addi %i, %j : index
    %rest = arith.remsi %sum, %seven : index
    %member = arith.cmpi eq, %rest, %two : index
    tercet.yield %member : i1
  }
  %never = tercet.block_set blocks(%block_q, %block_k) {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %three = arith.constant 3 : index
    %zero = arith.constant 0 : index
    %sum = arith.addi %i, %h : index
    %all = arith.addi %sum, %j : index
    %rest = arith.remsi %all, %three : index
    %member = arith.cmpi eq, %rest, %zero : index
    tercet.yield %member : i1
  }
  %scores = tercet.given_scores %gate blocks(%block_q, %block_k) : !tercet.table<[batch, head, query_block, key_block], f32>
  %classes = tercet.select %scores keep top_fraction(%keep) mask(%near) forced(%always) forbidden(%never)
  tercet.skip %classes[marginal, negligible]
  %o = tercet.sparse %q, %k, %v on %classes[critical] mask(%near) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %slope = tercet.read %slopes[%h] : !tercet.table<[head], f32>
    %back = arith.subi %j, %i : index
    %whole = arith.index_cast %back : index to i32
    %distance = arith.sitofp %whole : i32 to f32
    %bias = arith.mulf %slope, %distance : f32
    %eighth = arith.constant 0.125 : f32
    %small = arith.mulf %bias, %eighth : f32
    %biased = arith.addf %s, %small : f32
    tercet.yield %biased : f32
  }
  tercet.return %o
}
