// Queries that select for themselves, or in blocks, by what learned pools of keys get that are not far ahead of them, all but every seventh;
// "pool_ranked:RULE" has another rule of keep (SpecSource.h).
tercet.spec @pool_ranked(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %weights: !tercet.table<[kv_head, any], f32>, %ahead: !tercet.table<[head], i32>) {
  %block_q = tercet.param block_q = 1 : !tercet.static<i64>
  %block_k = tercet.param block_k = 16 : !tercet.static<i64>
  %length = tercet.param length = 24 : !tercet.static<i64>
  %stride = tercet.param stride = 8 : !tercet.static<i64>
  %keep = tercet.param keep = 0.3 : !tercet.runtime<f64>
  %drop = tercet.param drop = 0.2 : !tercet.runtime<f64>
  %min_keep = tercet.param min_keep = 1 : !tercet.runtime<i64>
  %max_keep = tercet.param max_keep = 100000 : !tercet.runtime<i64>
  %sink = tercet.param sink = 0 : !tercet.runtime<i64>
  %diagonal = tercet.param diagonal = false : !tercet.static<flag>
  %forced_counts = tercet.param forced_counts = false : !tercet.static<flag>
  %by_share = tercet.param by_share = false : !tercet.static<flag>
  %scope = tercet.param scope = row : !tercet.static<keyword>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %scores = tercet.compressed_scores %q, %k blocks(%block_q, %block_k) pool(%length, %stride) weights(%weights : !tercet.table<[kv_head, any], f32>) scale(%scale) where {
  ^bb0(%b: index, %h: index, %i: index, %c: index):
    %step = tercet.value %stride : !tercet.static<i64>
    %zero = arith.constant 0 : index
    %seven = arith.constant 7 : index
    %far = arith.constant 60 : index
    %first = arith.muli %c, %step : index
    %more = tercet.read %ahead[%h] : !tercet.table<[head], i32>
    %reach = arith.addi %far, %more : index
    %most = arith.addi %i, %reach : index
    %near = arith.cmpi sle, %first, %most : index
    %number = arith.addi %c, %h : index
    %rest = arith.remsi %number, %seven : index
    %takes = arith.cmpi ne, %rest, %zero : index
    %sees = arith.andi %near, %takes : i1
    tercet.yield %sees : i1
  }
  %classes = tercet.select %scores keep top_fraction(%keep) drop bottom_fraction(%drop) min_keep(%min_keep)
      max_keep(%max_keep) sink(%sink) diagonal(%diagonal) forced_counts(%forced_counts) by_share(%by_share) scope(%scope)
  tercet.skip %classes[marginal, negligible]
  %o = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale)
  tercet.return %o
}
