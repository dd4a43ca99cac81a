// A band of blocks inside of documents, with a bias by distance: a pattern, a mask and a score region.
tercet.spec @document_bands(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens,
                            %segment: !tercet.table<[batch, key], i32>, %slopes: !tercet.table<[head], f32>) {
  %block = tercet.param block = 16 : !tercet.static<i64>
  %reach = tercet.param reach = 1 : !tercet.runtime<i64>
  %same = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %x = tercet.read %segment[%b, %i] : !tercet.table<[batch, key], i32>
    %y = tercet.read %segment[%b, %j] : !tercet.table<[batch, key], i32>
    %allowed = arith.cmpi eq, %x, %y : index
    tercet.yield %allowed : i1
  }
  %band = tercet.block_set blocks(%block, %block) {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %r = tercet.value %reach : !tercet.runtime<i64>
    %back = arith.subi %i, %j : index
    %ahead = arith.subi %j, %i : index
    %distance = arith.maxsi %back, %ahead : index
    %member = arith.cmpi sle, %distance, %r : index
    tercet.yield %member : i1
  }
  %classes = tercet.pattern %band mask(%same)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical] mask(%same) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %slope = tercet.read %slopes[%h] : !tercet.table<[head], f32>
    %back = arith.subi %j, %i : index
    %distance = arith.index_cast %back : index to i32
    %d = arith.sitofp %distance : i32 to f32
    %bias = arith.mulf %slope, %d : f32
    %sum = arith.addf %s, %bias : f32
    tercet.yield %sum : f32
  }
  tercet.return %o
}
