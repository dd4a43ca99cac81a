// Sliding tile attention: the blocks are the tiles of a grid of frames x height x width tokens; a query tile sees the window of tiles
// around it, clamped at the edges, with a window per head (STA, arXiv:2502.04507). `windows` holds tiles along frames, height and width
// per head; text behind the grid sees and is seen by everything. Tiles at the far edges may be clipped, which the paper leaves out.
tercet.spec @sta(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %windows: !tercet.table<[head, 3], i32>) {
  %block_q = tercet.param block_q = 64 : !tercet.static<i64>
  %block_k = tercet.param block_k = 64 : !tercet.static<i64>
  %tile_t = tercet.param tile_t = 4 : !tercet.static<i64>
  %tile_y = tercet.param tile_y = 4 : !tercet.static<i64>
  %tile_x = tercet.param tile_x = 4 : !tercet.static<i64>
  %frames = tercet.param frames = 4 : !tercet.runtime<i64>
  %height = tercet.param height = 4 : !tercet.runtime<i64>
  %width = tercet.param width = 8 : !tercet.runtime<i64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  tercet.token_order grid(%frames, %height, %width) tile(%tile_t, %tile_y, %tile_x) text(suffix)
  %set = tercet.block_set blocks(%block_q, %block_k) {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %two = arith.constant 2 : index
    // the grid in tiles
    %frames_given = tercet.value %frames : !tercet.runtime<i64>
    %height_given = tercet.value %height : !tercet.runtime<i64>
    %width_given = tercet.value %width : !tercet.runtime<i64>
    %depth_of_tile = tercet.value %tile_t : !tercet.static<i64>
    %height_of_tile = tercet.value %tile_y : !tercet.static<i64>
    %width_of_tile = tercet.value %tile_x : !tercet.static<i64>
    %frames_now = arith.ceildivsi %frames_given, %depth_of_tile : index
    %height_now = arith.ceildivsi %height_given, %height_of_tile : index
    %width_now = arith.ceildivsi %width_given, %width_of_tile : index
    %y_of_i = arith.divsi %i, %width_now : index
    %x_query = arith.remsi %i, %width_now : index
    %t_query = arith.divsi %y_of_i, %height_now : index
    %y_query = arith.remsi %y_of_i, %height_now : index
    %y_of_j = arith.divsi %j, %width_now : index
    %x_key = arith.remsi %j, %width_now : index
    %t_key = arith.divsi %y_of_j, %height_now : index
    %y_key = arith.remsi %y_of_j, %height_now : index
    %t_window = tercet.read %windows[%h, %zero] : !tercet.table<[head, 3], i32>
    %t_half = arith.divsi %t_window, %two : index
    %t_low = arith.subi %t_query, %t_half : index
    %t_room = arith.subi %frames_now, %t_window : index
    %t_capped = arith.minsi %t_low, %t_room : index
    %t_first = arith.maxsi %t_capped, %zero : index
    %t_behind = arith.addi %t_first, %t_window : index
    %t_from = arith.cmpi sge, %t_key, %t_first : index
    %t_below = arith.cmpi slt, %t_key, %t_behind : index
    %t_inside = arith.andi %t_from, %t_below : i1
    %y_window = tercet.read %windows[%h, %one] : !tercet.table<[head, 3], i32>
    %y_half = arith.divsi %y_window, %two : index
    %y_low = arith.subi %y_query, %y_half : index
    %y_room = arith.subi %height_now, %y_window : index
    %y_capped = arith.minsi %y_low, %y_room : index
    %y_first = arith.maxsi %y_capped, %zero : index
    %y_behind = arith.addi %y_first, %y_window : index
    %y_from = arith.cmpi sge, %y_key, %y_first : index
    %y_below = arith.cmpi slt, %y_key, %y_behind : index
    %y_inside = arith.andi %y_from, %y_below : i1
    %x_window = tercet.read %windows[%h, %two] : !tercet.table<[head, 3], i32>
    %x_half = arith.divsi %x_window, %two : index
    %x_low = arith.subi %x_query, %x_half : index
    %x_room = arith.subi %width_now, %x_window : index
    %x_capped = arith.minsi %x_low, %x_room : index
    %x_first = arith.maxsi %x_capped, %zero : index
    %x_behind = arith.addi %x_first, %x_window : index
    %x_from = arith.cmpi sge, %x_key, %x_first : index
    %x_below = arith.cmpi slt, %x_key, %x_behind : index
    %x_inside = arith.andi %x_from, %x_below : i1
    %plane = arith.andi %y_inside, %x_inside : i1
    %is_near = arith.andi %plane, %t_inside : i1
    %frame = arith.muli %height_now, %width_now : index
    %tiles = arith.muli %frames_now, %frame : index
    %last = arith.maxsi %i, %j : index
    %is_text = arith.cmpi sge, %last, %tiles : index
    %member = arith.ori %is_text, %is_near : i1
    tercet.yield %member : i1
  }
  %classes = tercet.pattern %set
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale)
  tercet.return %o
}
