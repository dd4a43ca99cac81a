// Generalized neighbourhood attention on a grid of frames x height x width tokens in row-major order: a query sees the
// `window` nearest keys of every axis, clamped at the edges; queries in groups of `stride` share the window of their middle one
// (GNA, arXiv:2504.16922; stride 1 is neighbourhood attention, arXiv:2204.07143). The number of frames follows from the tokens.
tercet.spec @gna(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %height = tercet.param height = 8 : !tercet.runtime<i64>
  %width = tercet.param width = 16 : !tercet.runtime<i64>
  %t_window = tercet.param t_window = 3 : !tercet.runtime<i64>
  %t_stride = tercet.param t_stride = 1 : !tercet.runtime<i64>
  %y_window = tercet.param y_window = 5 : !tercet.runtime<i64>
  %y_stride = tercet.param y_stride = 2 : !tercet.runtime<i64>
  %x_window = tercet.param x_window = 8 : !tercet.runtime<i64>
  %x_stride = tercet.param x_stride = 4 : !tercet.runtime<i64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %near = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %two = arith.constant 2 : index
    %height_now = tercet.value %height : !tercet.runtime<i64>
    %width_now = tercet.value %width : !tercet.runtime<i64>
    %y_of_i = arith.divsi %i, %width_now : index
    %x_query = arith.remsi %i, %width_now : index
    %t_query = arith.divsi %y_of_i, %height_now : index
    %y_query = arith.remsi %y_of_i, %height_now : index
    %y_of_j = arith.divsi %j, %width_now : index
    %x_key = arith.remsi %j, %width_now : index
    %t_key = arith.divsi %y_of_j, %height_now : index
    %y_key = arith.remsi %y_of_j, %height_now : index
    %tokens = tercet.extent key
    %frame = arith.muli %height_now, %width_now : index
    %frames = arith.ceildivsi %tokens, %frame : index
    %t_window_now = tercet.value %t_window : !tercet.runtime<i64>
    %t_stride_now = tercet.value %t_stride : !tercet.runtime<i64>
    %t_group = arith.divsi %t_query, %t_stride_now : index
    %t_start = arith.muli %t_group, %t_stride_now : index
    %t_middle = arith.divsi %t_stride_now, %two : index
    %t_wanted = arith.addi %t_start, %t_middle : index
    %t_end = arith.subi %frames, %one : index
    %t_leader = arith.minsi %t_wanted, %t_end : index
    %t_half = arith.divsi %t_window_now, %two : index
    %t_low = arith.subi %t_leader, %t_half : index
    %t_room = arith.subi %frames, %t_window_now : index
    %t_capped = arith.minsi %t_low, %t_room : index
    %t_first = arith.maxsi %t_capped, %zero : index
    %t_behind = arith.addi %t_first, %t_window_now : index
    %t_from = arith.cmpi sge, %t_key, %t_first : index
    %t_below = arith.cmpi slt, %t_key, %t_behind : index
    %t_inside = arith.andi %t_from, %t_below : i1
    %y_window_now = tercet.value %y_window : !tercet.runtime<i64>
    %y_stride_now = tercet.value %y_stride : !tercet.runtime<i64>
    %y_group = arith.divsi %y_query, %y_stride_now : index
    %y_start = arith.muli %y_group, %y_stride_now : index
    %y_middle = arith.divsi %y_stride_now, %two : index
    %y_wanted = arith.addi %y_start, %y_middle : index
    %y_end = arith.subi %height_now, %one : index
    %y_leader = arith.minsi %y_wanted, %y_end : index
    %y_half = arith.divsi %y_window_now, %two : index
    %y_low = arith.subi %y_leader, %y_half : index
    %y_room = arith.subi %height_now, %y_window_now : index
    %y_capped = arith.minsi %y_low, %y_room : index
    %y_first = arith.maxsi %y_capped, %zero : index
    %y_behind = arith.addi %y_first, %y_window_now : index
    %y_from = arith.cmpi sge, %y_key, %y_first : index
    %y_below = arith.cmpi slt, %y_key, %y_behind : index
    %y_inside = arith.andi %y_from, %y_below : i1
    %x_window_now = tercet.value %x_window : !tercet.runtime<i64>
    %x_stride_now = tercet.value %x_stride : !tercet.runtime<i64>
    %x_group = arith.divsi %x_query, %x_stride_now : index
    %x_start = arith.muli %x_group, %x_stride_now : index
    %x_middle = arith.divsi %x_stride_now, %two : index
    %x_wanted = arith.addi %x_start, %x_middle : index
    %x_end = arith.subi %width_now, %one : index
    %x_leader = arith.minsi %x_wanted, %x_end : index
    %x_half = arith.divsi %x_window_now, %two : index
    %x_low = arith.subi %x_leader, %x_half : index
    %x_room = arith.subi %width_now, %x_window_now : index
    %x_capped = arith.minsi %x_low, %x_room : index
    %x_first = arith.maxsi %x_capped, %zero : index
    %x_behind = arith.addi %x_first, %x_window_now : index
    %x_from = arith.cmpi sge, %x_key, %x_first : index
    %x_below = arith.cmpi slt, %x_key, %x_behind : index
    %x_inside = arith.andi %x_from, %x_below : i1
    %plane = arith.andi %y_inside, %x_inside : i1
    %allowed = arith.andi %plane, %t_inside : i1
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v scale(%scale) mask(%near)
  tercet.return %o
}
