// Pools with learned weights under one softmax with all tokens, and a score region that counts their tokens.
tercet.spec @weighted_pools(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %of_keys: !tercet.table<[kv_head, any], f32>, %of_values: !tercet.table<[kv_head, any], f32>) {
  %length = tercet.param length = 24 : !tercet.static<i64>
  %stride = tercet.param stride = 20 : !tercet.static<i64>
  %scale = tercet.param scale = 0.2 : !tercet.runtime<f64>
  %all = tercet.sparse %q, %k, %v
  %pools = tercet.compressed %q, %k, %v pool(%length, %stride) weights(%of_keys, %of_values : !tercet.table<[kv_head, any], f32>, !tercet.table<[kv_head, any], f32>) scale(%scale) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %c: index):
    %n = tercet.extent key
    %step = tercet.value %stride : !tercet.static<i64>
    %most = tercet.value %length : !tercet.static<i64>
    %first = arith.muli %c, %step : index
    %left = arith.subi %n, %first : index
    %count = arith.minsi %left, %most : index
    %whole = arith.index_cast %count : index to i32
    %number = arith.sitofp %whole : i32 to f32
    %weight = math.log %number : f32
    %y = arith.addf %s, %weight : f32
    tercet.yield %y : f32
  }
  %o = tercet.combine joint(%all, %pools)
  tercet.return %o
}
