// Radial attention for video: frames `apart` see each other within a band around the same place of the frame; with every doubling
// of the distance in time the band halves, and where it would be narrower than `narrowest` tokens only every split-th frame is
// seen (arXiv:2506.19852, section 4.2). Frames next to each other see all of each other, and all see the first frame where `sink`
// says so. The token rule behind the paper's blocks; distances in time up to 1023 frames.
tercet.spec @radial(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %frame = tercet.param frame = 128 : !tercet.runtime<i64>
  %narrowest = tercet.param narrowest = 64 : !tercet.runtime<i64>
  %sink = tercet.param sink = true : !tercet.static<flag>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %rule = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c4 = arith.constant 4 : index
    %c8 = arith.constant 8 : index
    %c16 = arith.constant 16 : index
    %c32 = arith.constant 32 : index
    %c64 = arith.constant 64 : index
    %c128 = arith.constant 128 : index
    %c256 = arith.constant 256 : index
    %c512 = arith.constant 512 : index
    %tokens = tercet.value %frame : !tercet.runtime<i64>
    %least = tercet.value %narrowest : !tercet.runtime<i64>
    %t_query = arith.divsi %i, %tokens : index
    %x_query = arith.remsi %i, %tokens : index
    %t_key = arith.divsi %j, %tokens : index
    %x_key = arith.remsi %j, %tokens : index
    %forward = arith.subi %t_key, %t_query : index
    %apart = math.absi %forward : index
    %across = arith.subi %x_key, %x_query : index
    %offset = math.absi %across : index
    // group = the number of bits of `apart`
    %is_1 = arith.cmpi sge, %apart, %c1 : index
    %octave_0 = arith.addi %zero, %one : index
    %group_0 = arith.select %is_1, %octave_0, %zero : index
    %is_2 = arith.cmpi sge, %apart, %c2 : index
    %octave_1 = arith.addi %octave_0, %one : index
    %group_1 = arith.select %is_2, %octave_1, %group_0 : index
    %is_4 = arith.cmpi sge, %apart, %c4 : index
    %octave_2 = arith.addi %octave_1, %one : index
    %group_2 = arith.select %is_4, %octave_2, %group_1 : index
    %is_8 = arith.cmpi sge, %apart, %c8 : index
    %octave_3 = arith.addi %octave_2, %one : index
    %group_3 = arith.select %is_8, %octave_3, %group_2 : index
    %is_16 = arith.cmpi sge, %apart, %c16 : index
    %octave_4 = arith.addi %octave_3, %one : index
    %group_4 = arith.select %is_16, %octave_4, %group_3 : index
    %is_32 = arith.cmpi sge, %apart, %c32 : index
    %octave_5 = arith.addi %octave_4, %one : index
    %group_5 = arith.select %is_32, %octave_5, %group_4 : index
    %is_64 = arith.cmpi sge, %apart, %c64 : index
    %octave_6 = arith.addi %octave_5, %one : index
    %group_6 = arith.select %is_64, %octave_6, %group_5 : index
    %is_128 = arith.cmpi sge, %apart, %c128 : index
    %octave_7 = arith.addi %octave_6, %one : index
    %group_7 = arith.select %is_128, %octave_7, %group_6 : index
    %is_256 = arith.cmpi sge, %apart, %c256 : index
    %octave_8 = arith.addi %octave_7, %one : index
    %group_8 = arith.select %is_256, %octave_8, %group_7 : index
    %is_512 = arith.cmpi sge, %apart, %c512 : index
    %octave_9 = arith.addi %octave_8, %one : index
    %group_9 = arith.select %is_512, %octave_9, %group_8 : index
    %group = arith.maxsi %group_9, %zero : index
    %width = arith.shrsi %tokens, %group : index
    %band = arith.maxsi %width, %least : index
    %in_band = arith.cmpi slt, %offset, %band : index
    // frames seen at all: every one while the band is wide enough, else one in least / width
    %positive = arith.maxsi %width, %one : index
    %split = arith.ceildivsi %least, %positive : index
    %phase = arith.remsi %apart, %split : index
    %in_phase = arith.cmpi eq, %phase, %zero : index
    %radial = arith.andi %in_band, %in_phase : i1
    %adjacent = arith.cmpi sle, %apart, %one : index
    %keeps_first = tercet.value %sink : !tercet.static<flag>
    %is_first = arith.cmpi eq, %t_key, %zero : index
    %is_sink = arith.andi %keeps_first, %is_first : i1
    %near = arith.ori %radial, %adjacent : i1
    %allowed = arith.ori %near, %is_sink : i1
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v scale(%scale) mask(%rule)
  tercet.return %o
}
