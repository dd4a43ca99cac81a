// Native Sparse Attention, prefill (arXiv:2502.11089): means of overlapping runs of tokens that have passed; for all heads of a group
// the block of keys that a query is in, the one before, the first, and the `blocks` others that get most of the probabilities over the
// runs (its equations 8 to 10); and a window. Each is a softmax of its own, times the sigmoid of its column of `gates`. In the paper a
// learned map makes the runs, here they are means; `weights` learns sums. With block_q above 1 queries select in blocks, by their mean
// probabilities.
tercet.spec @nsa(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %gates: !tercet.table<[batch, head, query, 3], f32>) {
  %block_q = tercet.param block_q = 1 : !tercet.static<i64>
  %block_k = tercet.param block_k = 64 : !tercet.static<i64>
  %length = tercet.param length = 32 : !tercet.static<i64>
  %stride = tercet.param stride = 16 : !tercet.static<i64>
  %scope = tercet.param scope = group : !tercet.static<keyword>
  %forced_counts = tercet.param forced_counts = false : !tercet.static<flag>
  %blocks = tercet.param blocks = 13.0 : !tercet.runtime<f64>
  %sink = tercet.param sink = 1 : !tercet.runtime<i64>
  %window = tercet.param window = 512 : !tercet.runtime<i64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %past = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %allowed = arith.cmpi sle, %j, %i : index
    tercet.yield %allowed : i1
  }
  %recent = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %size = tercet.value %window : !tercet.runtime<i64>
    %before = arith.cmpi sle, %j, %i : index
    %back = arith.subi %i, %j : index
    %inside = arith.cmpi slt, %back, %size : index
    %allowed = arith.andi %before, %inside : i1
    tercet.yield %allowed : i1
  }
  %latest = tercet.block_set blocks(%block_q, %block_k) {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %rows = tercet.value %block_q : !tercet.static<i64>
    %keys = tercet.value %block_k : !tercet.static<i64>
    %one = arith.constant 1 : index
    %first_row = arith.muli %i, %rows : index
    %own = arith.divsi %first_row, %keys : index
    %previous = arith.subi %own, %one : index
    %is_own = arith.cmpi eq, %j, %own : index
    %is_previous = arith.cmpi eq, %j, %previous : index
    %member = arith.ori %is_own, %is_previous : i1
    tercet.yield %member : i1
  }
  %scores = tercet.compressed_scores %q, %k blocks(%block_q, %block_k) pool(%length, %stride) scale(%scale) where {
  ^bb0(%b: index, %h: index, %i: index, %c: index):
    %size = tercet.value %length : !tercet.static<i64>
    %step = tercet.value %stride : !tercet.static<i64>
    %first = arith.muli %c, %step : index
    %behind = arith.addi %first, %size : index
    %one = arith.constant 1 : index
    %last = arith.subi %behind, %one : index
    %passed = arith.cmpi sle, %last, %i : index
    tercet.yield %passed : i1
  }
  %classes = tercet.select %scores keep top_count(%blocks) sink(%sink) forced_counts(%forced_counts) scope(%scope) mask(%past)
      forced(%latest)
  tercet.skip %classes[marginal]
  %selected = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale) mask(%past)
  %local = tercet.sparse %q, %k, %v scale(%scale) mask(%recent)
  %runs = tercet.compressed %q, %k, %v pool(%length, %stride) scale(%scale) where {
  ^bb0(%b: index, %h: index, %i: index, %c: index):
    %size = tercet.value %length : !tercet.static<i64>
    %step = tercet.value %stride : !tercet.static<i64>
    %first = arith.muli %c, %step : index
    %behind = arith.addi %first, %size : index
    %one = arith.constant 1 : index
    %last = arith.subi %behind, %one : index
    %passed = arith.cmpi sle, %last, %i : index
    tercet.yield %passed : i1
  }
  %of_runs = tercet.gate %runs {
  ^bb0(%b: index, %h: index, %i: index, %e: index):
    %which = arith.constant 0 : index
    %one = arith.constant 1.0 : f32
    %x = tercet.read %gates[%b, %h, %i, %which] : !tercet.table<[batch, head, query, 3], f32>
    %minus = arith.negf %x : f32
    %power = math.exp %minus : f32
    %below = arith.addf %one, %power : f32
    %sigmoid = arith.divf %one, %below : f32
    tercet.yield %sigmoid : f32
  }
  %of_selected = tercet.gate %selected {
  ^bb0(%b: index, %h: index, %i: index, %e: index):
    %which = arith.constant 1 : index
    %one = arith.constant 1.0 : f32
    %x = tercet.read %gates[%b, %h, %i, %which] : !tercet.table<[batch, head, query, 3], f32>
    %minus = arith.negf %x : f32
    %power = math.exp %minus : f32
    %below = arith.addf %one, %power : f32
    %sigmoid = arith.divf %one, %below : f32
    tercet.yield %sigmoid : f32
  }
  %of_window = tercet.gate %local {
  ^bb0(%b: index, %h: index, %i: index, %e: index):
    %which = arith.constant 2 : index
    %one = arith.constant 1.0 : f32
    %x = tercet.read %gates[%b, %h, %i, %which] : !tercet.table<[batch, head, query, 3], f32>
    %minus = arith.negf %x : f32
    %power = math.exp %minus : f32
    %below = arith.addf %one, %power : f32
    %sigmoid = arith.divf %one, %below : f32
    tercet.yield %sigmoid : f32
  }
  %o = tercet.combine sum(%of_runs, %of_selected, %of_window)
  tercet.return %o
}
