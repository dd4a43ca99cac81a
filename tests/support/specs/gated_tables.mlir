// Gates by head and feature and by query, over softmaxes whose scores read tables: tokens and pools under one, and pools of queries.
tercet.spec @gated_tables(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens,
                          %channels: !tercet.table<[head, feature], f32>, %shares: !tercet.table<[batch, head, query], f32>,
                          %slopes: !tercet.table<[head], f32>, %runs: !tercet.table<[head, query, key_block], f32>) {
  %block = tercet.param block = 32 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %fine = tercet.sparse %q, %k, %v on %classes[critical] score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %slope = tercet.read %slopes[%h] : !tercet.table<[head], f32>
    %y = arith.mulf %s, %slope : f32
    tercet.yield %y : f32
  }
  %coarse = tercet.compressed %q, %k, %v pool(%block, %block) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %c: index):
    %bias = tercet.read %runs[%h, %i, %c] : !tercet.table<[head, query, key_block], f32>
    %y = arith.addf %s, %bias : f32
    tercet.yield %y : f32
  }
  %pooled = tercet.compressed %q, %k, %v pool(%block, %block) queries(%block) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %c: index):
    %four = arith.constant 4 : index
    %back = arith.subi %i, %c : index
    %entry = arith.addi %back, %four : index
    %bias = tercet.read %slopes[%entry] : !tercet.table<[head], f32>
    %y = arith.addf %s, %bias : f32
    tercet.yield %y : f32
  }
  %joined = tercet.combine joint(%fine, %coarse)
  %a = tercet.gate %joined {
  ^bb0(%b: index, %h: index, %i: index, %e: index):
    %one = arith.constant 1.0 : f32
    %channel = tercet.read %channels[%h, %e] : !tercet.table<[head, feature], f32>
    %share = tercet.read %shares[%b, %h, %i] : !tercet.table<[batch, head, query], f32>
    %minus = arith.negf %share : f32
    %power = math.exp %minus : f32
    %below = arith.addf %one, %power : f32
    %sigmoid = arith.divf %one, %below : f32
    %factor = arith.mulf %channel, %sigmoid : f32
    tercet.yield %factor : f32
  }
  %c = tercet.gate %pooled {
  ^bb0(%b: index, %h: index, %i: index, %e: index):
    %share = tercet.read %shares[%b, %h, %i] : !tercet.table<[batch, head, query], f32>
    tercet.yield %share : f32
  }
  %o = tercet.combine sum(%a, %c)
  tercet.return %o
}
