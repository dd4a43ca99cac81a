// Generalized neighbourhood attention on a grid of frames x height x width tokens in row-major order: along every axis a query sees
// the `window` nearest keys, clamped at the edges, and queries in groups of `stride` share the window of their middle one (GNA,
// arXiv:2504.16922; stride 1 is neighbourhood attention, arXiv:2204.07143). `dilation` d splits an axis into d interleaved ones
// (arXiv:2209.15001); along a `causal` axis the window ends at the query and begins as that of the group's last one does (public code
// of NATTEN). The number of frames follows from the tokens.
tercet.spec @gna(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %height = tercet.param height = 8 : !tercet.runtime<i64>
  %width = tercet.param width = 16 : !tercet.runtime<i64>
  %t_window = tercet.param t_window = 3 : !tercet.runtime<i64>
  %t_stride = tercet.param t_stride = 1 : !tercet.runtime<i64>
  %t_dilation = tercet.param t_dilation = 1 : !tercet.runtime<i64>
  %t_causal = tercet.param t_causal = false : !tercet.static<flag>
  %y_window = tercet.param y_window = 5 : !tercet.runtime<i64>
  %y_stride = tercet.param y_stride = 2 : !tercet.runtime<i64>
  %y_dilation = tercet.param y_dilation = 1 : !tercet.runtime<i64>
  %y_causal = tercet.param y_causal = false : !tercet.static<flag>
  %x_window = tercet.param x_window = 8 : !tercet.runtime<i64>
  %x_stride = tercet.param x_stride = 4 : !tercet.runtime<i64>
  %x_dilation = tercet.param x_dilation = 1 : !tercet.runtime<i64>
  %x_causal = tercet.param x_causal = false : !tercet.static<flag>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %near = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %two = arith.constant 2 : index
    // the places of query and key, and the size of every axis
    %y_size = tercet.value %height : !tercet.runtime<i64>
    %x_size = tercet.value %width : !tercet.runtime<i64>
    %tokens = tercet.extent key
    %frame = arith.muli %y_size, %x_size : index
    %t_size = arith.ceildivsi %tokens, %frame : index
    %row_query = arith.divsi %i, %x_size : index
    %x_query = arith.remsi %i, %x_size : index
    %t_query = arith.divsi %row_query, %y_size : index
    %y_query = arith.remsi %row_query, %y_size : index
    %row_key = arith.divsi %j, %x_size : index
    %x_key = arith.remsi %j, %x_size : index
    %t_key = arith.divsi %row_key, %y_size : index
    %y_key = arith.remsi %row_key, %y_size : index
    // t: query and key on the same interleaved axis, and their places and its size there
    %t_step = tercet.value %t_dilation : !tercet.runtime<i64>
    %t_phase = arith.remsi %t_query, %t_step : index
    %t_key_phase = arith.remsi %t_key, %t_step : index
    %t_together = arith.cmpi eq, %t_phase, %t_key_phase : index
    %t_place = arith.divsi %t_query, %t_step : index
    %t_key_place = arith.divsi %t_key, %t_step : index
    %t_rest = arith.subi %t_size, %t_phase : index
    %t_places = arith.ceildivsi %t_rest, %t_step : index
    // t: the group's leader, and the window around it or up to it
    %t_width = tercet.value %t_window : !tercet.runtime<i64>
    %t_group_size = tercet.value %t_stride : !tercet.runtime<i64>
    %t_group = arith.divsi %t_place, %t_group_size : index
    %t_start = arith.muli %t_group, %t_group_size : index
    %t_is_causal = tercet.value %t_causal : !tercet.static<flag>
    %t_middle = arith.divsi %t_group_size, %two : index
    %t_last_of_group = arith.subi %t_group_size, %one : index
    %t_offset = arith.select %t_is_causal, %t_last_of_group, %t_middle : index
    %t_leader = arith.addi %t_start, %t_offset : index
    %t_half = arith.divsi %t_width, %two : index
    %t_all_but_one = arith.subi %t_width, %one : index
    %t_before = arith.select %t_is_causal, %t_all_but_one, %t_half : index
    %t_low = arith.subi %t_leader, %t_before : index
    %t_room = arith.subi %t_places, %t_width : index
    %t_capped = arith.minsi %t_low, %t_room : index
    %t_first = arith.maxsi %t_capped, %zero : index
    %t_window_end = arith.addi %t_first, %t_all_but_one : index
    %t_last = arith.select %t_is_causal, %t_place, %t_window_end : index
    %t_from = arith.cmpi sge, %t_key_place, %t_first : index
    %t_to = arith.cmpi sle, %t_key_place, %t_last : index
    %t_inside = arith.andi %t_from, %t_to : i1
    %t_near = arith.andi %t_inside, %t_together : i1
    // y: query and key on the same interleaved axis, and their places and its size there
    %y_step = tercet.value %y_dilation : !tercet.runtime<i64>
    %y_phase = arith.remsi %y_query, %y_step : index
    %y_key_phase = arith.remsi %y_key, %y_step : index
    %y_together = arith.cmpi eq, %y_phase, %y_key_phase : index
    %y_place = arith.divsi %y_query, %y_step : index
    %y_key_place = arith.divsi %y_key, %y_step : index
    %y_rest = arith.subi %y_size, %y_phase : index
    %y_places = arith.ceildivsi %y_rest, %y_step : index
    // y: the group's leader, and the window around it or up to it
    %y_width = tercet.value %y_window : !tercet.runtime<i64>
    %y_group_size = tercet.value %y_stride : !tercet.runtime<i64>
    %y_group = arith.divsi %y_place, %y_group_size : index
    %y_start = arith.muli %y_group, %y_group_size : index
    %y_is_causal = tercet.value %y_causal : !tercet.static<flag>
    %y_middle = arith.divsi %y_group_size, %two : index
    %y_last_of_group = arith.subi %y_group_size, %one : index
    %y_offset = arith.select %y_is_causal, %y_last_of_group, %y_middle : index
    %y_leader = arith.addi %y_start, %y_offset : index
    %y_half = arith.divsi %y_width, %two : index
    %y_all_but_one = arith.subi %y_width, %one : index
    %y_before = arith.select %y_is_causal, %y_all_but_one, %y_half : index
    %y_low = arith.subi %y_leader, %y_before : index
    %y_room = arith.subi %y_places, %y_width : index
    %y_capped = arith.minsi %y_low, %y_room : index
    %y_first = arith.maxsi %y_capped, %zero : index
    %y_window_end = arith.addi %y_first, %y_all_but_one : index
    %y_last = arith.select %y_is_causal, %y_place, %y_window_end : index
    %y_from = arith.cmpi sge, %y_key_place, %y_first : index
    %y_to = arith.cmpi sle, %y_key_place, %y_last : index
    %y_inside = arith.andi %y_from, %y_to : i1
    %y_near = arith.andi %y_inside, %y_together : i1
    // x: query and key on the same interleaved axis, and their places and its size there
    %x_step = tercet.value %x_dilation : !tercet.runtime<i64>
    %x_phase = arith.remsi %x_query, %x_step : index
    %x_key_phase = arith.remsi %x_key, %x_step : index
    %x_together = arith.cmpi eq, %x_phase, %x_key_phase : index
    %x_place = arith.divsi %x_query, %x_step : index
    %x_key_place = arith.divsi %x_key, %x_step : index
    %x_rest = arith.subi %x_size, %x_phase : index
    %x_places = arith.ceildivsi %x_rest, %x_step : index
    // x: the group's leader, and the window around it or up to it
    %x_width = tercet.value %x_window : !tercet.runtime<i64>
    %x_group_size = tercet.value %x_stride : !tercet.runtime<i64>
    %x_group = arith.divsi %x_place, %x_group_size : index
    %x_start = arith.muli %x_group, %x_group_size : index
    %x_is_causal = tercet.value %x_causal : !tercet.static<flag>
    %x_middle = arith.divsi %x_group_size, %two : index
    %x_last_of_group = arith.subi %x_group_size, %one : index
    %x_offset = arith.select %x_is_causal, %x_last_of_group, %x_middle : index
    %x_leader = arith.addi %x_start, %x_offset : index
    %x_half = arith.divsi %x_width, %two : index
    %x_all_but_one = arith.subi %x_width, %one : index
    %x_before = arith.select %x_is_causal, %x_all_but_one, %x_half : index
    %x_low = arith.subi %x_leader, %x_before : index
    %x_room = arith.subi %x_places, %x_width : index
    %x_capped = arith.minsi %x_low, %x_room : index
    %x_first = arith.maxsi %x_capped, %zero : index
    %x_window_end = arith.addi %x_first, %x_all_but_one : index
    %x_last = arith.select %x_is_causal, %x_place, %x_window_end : index
    %x_from = arith.cmpi sge, %x_key_place, %x_first : index
    %x_to = arith.cmpi sle, %x_key_place, %x_last : index
    %x_inside = arith.andi %x_from, %x_to : i1
    %x_near = arith.andi %x_inside, %x_together : i1
    %plane = arith.andi %y_near, %x_near : i1
    %allowed = arith.andi %plane, %t_near : i1
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v scale(%scale) mask(%near)
  tercet.return %o
}
