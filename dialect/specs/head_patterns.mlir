// A static pattern per head, found offline: full, diagonal, several diagonals, vertical stripes, or nothing (Sparse-vDiT,
// arXiv:2506.03065, section 3). `patterns` holds per head: its kind, 0 to 4 in this order, a width and a period in blocks. The band is
// less than width blocks from the diagonal; diagonals repeat every period blocks (a frame); stripes are the first width of every
// period columns.
tercet.spec @head_patterns(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %patterns: !tercet.table<[head, 3], i32>) {
  %block_q = tercet.param block_q = 64 : !tercet.static<i64>
  %block_k = tercet.param block_k = 64 : !tercet.static<i64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %set = tercet.block_set blocks(%block_q, %block_k) {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %two = arith.constant 2 : index
    %three = arith.constant 3 : index
    %kind = tercet.read %patterns[%h, %zero] : !tercet.table<[head, 3], i32>
    %width = tercet.read %patterns[%h, %one] : !tercet.table<[head, 3], i32>
    %period = tercet.read %patterns[%h, %two] : !tercet.table<[head, 3], i32>
    %forward = arith.subi %j, %i : index
    %apart = math.absi %forward : index
    %is_near = arith.cmpi slt, %apart, %width : index
    %above = arith.remsi %apart, %period : index
    %below = arith.subi %period, %above : index
    %off = arith.minsi %above, %below : index
    %on_diagonals = arith.cmpi slt, %off, %width : index
    %column = arith.remsi %j, %period : index
    %on_stripes = arith.cmpi slt, %column, %width : index
    %is_full = arith.cmpi eq, %kind, %zero : index
    %wants_band = arith.cmpi eq, %kind, %one : index
    %wants_diagonals = arith.cmpi eq, %kind, %two : index
    %wants_stripes = arith.cmpi eq, %kind, %three : index
    %in_band = arith.andi %wants_band, %is_near : i1
    %in_diagonals = arith.andi %wants_diagonals, %on_diagonals : i1
    %in_stripes = arith.andi %wants_stripes, %on_stripes : i1
    %diagonal = arith.ori %in_band, %in_diagonals : i1
    %sparse = arith.ori %diagonal, %in_stripes : i1
    %member = arith.ori %is_full, %sparse : i1
    tercet.yield %member : i1
  }
  %classes = tercet.pattern %set
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale)
  tercet.return %o
}
