// BigBird: a window of blocks, global blocks that see and are seen by all, and random blocks per row (arXiv:2007.14062, section 2;
// the internal construction). Random blocks come from an integer hash of head, row and number, the same in every call.
tercet.spec @bigbird(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block_q = tercet.param block_q = 64 : !tercet.static<i64>
  %block_k = tercet.param block_k = 64 : !tercet.static<i64>
  %window = tercet.param window = 3 : !tercet.runtime<i64>
  %global = tercet.param global = 2 : !tercet.runtime<i64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %set = tercet.block_set blocks(%block_q, %block_k) {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %two = arith.constant 2 : index
    %width = tercet.value %window : !tercet.runtime<i64>
    %first_blocks = tercet.value %global : !tercet.runtime<i64>
    %reach = arith.divsi %width, %two : index
    %apart = arith.subi %j, %i : index
    %distance = math.absi %apart : index
    %is_near = arith.cmpi sle, %distance, %reach : index
    %nearest = arith.minsi %i, %j : index
    %is_global = arith.cmpi slt, %nearest, %first_blocks : index
    // three random blocks of the row
    %tokens = tercet.extent key
    %block = tercet.value %block_k : !tercet.static<i64>
    %blocks = arith.ceildivsi %tokens, %block : index
    %a = arith.constant 1103515245 : index
    %c = arith.constant 12345 : index
    %positive = arith.constant 2147483647 : index
    %half = arith.constant 16 : index
    %row_key = arith.muli %i, %a : index
    %head_key = arith.muli %h, %c : index
    %seed = arith.xori %row_key, %head_key : index
    %product_1 = arith.muli %seed, %a : index
    %sum_1 = arith.addi %product_1, %c : index
    %high_1 = arith.shrsi %sum_1, %half : index
    %mixed_1 = arith.xori %sum_1, %high_1 : index
    %draw_1 = arith.andi %mixed_1, %positive : index
    %random_1 = arith.remsi %draw_1, %blocks : index
    %hit_1 = arith.cmpi eq, %j, %random_1 : index
    %product_2 = arith.muli %draw_1, %a : index
    %sum_2 = arith.addi %product_2, %c : index
    %high_2 = arith.shrsi %sum_2, %half : index
    %mixed_2 = arith.xori %sum_2, %high_2 : index
    %draw_2 = arith.andi %mixed_2, %positive : index
    %random_2 = arith.remsi %draw_2, %blocks : index
    %hit_2 = arith.cmpi eq, %j, %random_2 : index
    %product_3 = arith.muli %draw_2, %a : index
    %sum_3 = arith.addi %product_3, %c : index
    %high_3 = arith.shrsi %sum_3, %half : index
    %mixed_3 = arith.xori %sum_3, %high_3 : index
    %draw_3 = arith.andi %mixed_3, %positive : index
    %random_3 = arith.remsi %draw_3, %blocks : index
    %hit_3 = arith.cmpi eq, %j, %random_3 : index
    %hit_12 = arith.ori %hit_1, %hit_2 : i1
    %is_random = arith.ori %hit_12, %hit_3 : i1
    %static = arith.ori %is_near, %is_global : i1
    %member = arith.ori %static, %is_random : i1
    tercet.yield %member : i1
  }
  %classes = tercet.pattern %set
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale)
  tercet.return %o
}
