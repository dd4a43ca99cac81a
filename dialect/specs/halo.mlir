// Blocked local attention with a halo: on a grid of rows x `width` tokens in row-major order, the queries of a `block` x `block` square
// see the square and the `halo` tokens around it, as far as the grid goes (HaloNet, arXiv:2103.12731, section 3.1).
tercet.spec @halo(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %width = tercet.param width = 16 : !tercet.runtime<i64>
  %block = tercet.param block = 8 : !tercet.runtime<i64>
  %halo = tercet.param halo = 3 : !tercet.runtime<i64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %rule = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %columns = tercet.value %width : !tercet.runtime<i64>
    %side = tercet.value %block : !tercet.runtime<i64>
    %margin = tercet.value %halo : !tercet.runtime<i64>
    %y_query = arith.divsi %i, %columns : index
    %x_query = arith.remsi %i, %columns : index
    %y_key = arith.divsi %j, %columns : index
    %x_key = arith.remsi %j, %columns : index
    %y_in_block = arith.remsi %y_query, %side : index
    %y_start = arith.subi %y_query, %y_in_block : index
    %y_end = arith.addi %y_start, %side : index
    %y_first = arith.subi %y_start, %margin : index
    %y_behind = arith.addi %y_end, %margin : index
    %y_from = arith.cmpi sge, %y_key, %y_first : index
    %y_to = arith.cmpi slt, %y_key, %y_behind : index
    %x_in_block = arith.remsi %x_query, %side : index
    %x_start = arith.subi %x_query, %x_in_block : index
    %x_end = arith.addi %x_start, %side : index
    %x_first = arith.subi %x_start, %margin : index
    %x_behind = arith.addi %x_end, %margin : index
    %x_from = arith.cmpi sge, %x_key, %x_first : index
    %x_to = arith.cmpi slt, %x_key, %x_behind : index
    %in_rows = arith.andi %y_from, %y_to : i1
    %in_columns = arith.andi %x_from, %x_to : i1
    %allowed = arith.andi %in_rows, %in_columns : i1
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v scale(%scale) mask(%rule)
  tercet.return %o
}
