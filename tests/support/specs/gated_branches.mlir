tercet.spec @gated_branches(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %g: !tercet.table<[batch, head, query, 3], f32>) {
  %length = tercet.param length = 32 : !tercet.static<i64>
  %stride = tercet.param stride = 16 : !tercet.static<i64>
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %window = tercet.param window = 40 : !tercet.runtime<i64>
  %past = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %allowed = arith.cmpi sle, %j, %i : index
    tercet.yield %allowed : i1
  }
  %near = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %w = tercet.value %window : !tercet.runtime<i64>
    %before = arith.cmpi sle, %j, %i : index
    %back = arith.subi %i, %j : index
    %inside = arith.cmpi slt, %back, %w : index
    %allowed = arith.andi %before, %inside : i1
    tercet.yield %allowed : i1
  }
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep) mask(%past)
  tercet.skip %classes[marginal]
  %chosen = tercet.sparse %q, %k, %v on %classes[critical] mask(%past)
  %local = tercet.sparse %q, %k, %v mask(%near)
  %pools = tercet.compressed %q, %k, %v pool(%length, %stride) where {
  ^bb0(%b: index, %h: index, %i: index, %c: index):
    %n = tercet.value %length : !tercet.static<i64>
    %step = tercet.value %stride : !tercet.static<i64>
    %first = arith.muli %c, %step : index
    %end = arith.addi %first, %n : index
    %ended = arith.cmpi sle, %end, %i : index
    tercet.yield %ended : i1
  }
  %a = tercet.gate %pools {
  ^bb0(%b: index, %h: index, %i: index, %e: index):
    %zero = arith.constant 0 : index
    %one = arith.constant 1.0 : f32
    %x = tercet.read %g[%b, %h, %i, %zero] : !tercet.table<[batch, head, query, 3], f32>
    %minus = arith.negf %x : f32
    %power = math.exp %minus : f32
    %below = arith.addf %one, %power : f32
    %sigmoid = arith.divf %one, %below : f32
    tercet.yield %sigmoid : f32
  }
  %c = tercet.gate %chosen {
  ^bb0(%b: index, %h: index, %i: index, %e: index):
    %at = arith.constant 1 : index
    %x = tercet.read %g[%b, %h, %i, %at] : !tercet.table<[batch, head, query, 3], f32>
    tercet.yield %x : f32
  }
  %o = tercet.combine sum(%a, %c, %local)
  tercet.return %o
}
