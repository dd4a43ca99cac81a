// Radial attention for video: frames at a distance in time see each other within a band around the same place of the frame; with
// every doubling of the distance the band halves, and where it would be narrower than `narrowest` tokens it stays so and only one in
// so many distances is seen (arXiv:2506.19852, section 4.2, at narrowest = 1; its public code widens bands to a block of 128). All see the
// first frame where `sink` says so; tokens from `video` on are text, which sees and is seen by everything. The rule is the one behind
// the public code's blocks, token by token. Distances up to 1023 frames.
tercet.spec @radial(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %frame = tercet.param frame = 128 : !tercet.runtime<i64>
  %narrowest = tercet.param narrowest = 64 : !tercet.runtime<i64>
  %video = tercet.param video = 1073741824 : !tercet.runtime<i64>
  %sink = tercet.param sink = true : !tercet.static<flag>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %rule = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
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
    // the largest power of two up to `apart`, 1 for 0
    %c2 = arith.constant 2 : index
    %from_2 = arith.cmpi sge, %apart, %c2 : index
    %octave_2 = arith.select %from_2, %c2, %one : index
    %c4 = arith.constant 4 : index
    %from_4 = arith.cmpi sge, %apart, %c4 : index
    %octave_4 = arith.select %from_4, %c4, %octave_2 : index
    %c8 = arith.constant 8 : index
    %from_8 = arith.cmpi sge, %apart, %c8 : index
    %octave_8 = arith.select %from_8, %c8, %octave_4 : index
    %c16 = arith.constant 16 : index
    %from_16 = arith.cmpi sge, %apart, %c16 : index
    %octave_16 = arith.select %from_16, %c16, %octave_8 : index
    %c32 = arith.constant 32 : index
    %from_32 = arith.cmpi sge, %apart, %c32 : index
    %octave_32 = arith.select %from_32, %c32, %octave_16 : index
    %c64 = arith.constant 64 : index
    %from_64 = arith.cmpi sge, %apart, %c64 : index
    %octave_64 = arith.select %from_64, %c64, %octave_32 : index
    %c128 = arith.constant 128 : index
    %from_128 = arith.cmpi sge, %apart, %c128 : index
    %octave_128 = arith.select %from_128, %c128, %octave_64 : index
    %c256 = arith.constant 256 : index
    %from_256 = arith.cmpi sge, %apart, %c256 : index
    %octave_256 = arith.select %from_256, %c256, %octave_128 : index
    %c512 = arith.constant 512 : index
    %from_512 = arith.cmpi sge, %apart, %c512 : index
    %octave_512 = arith.select %from_512, %c512, %octave_256 : index
    %width = arith.divsi %tokens, %octave_512 : index
    %band = arith.maxsi %width, %least : index
    %in_band = arith.cmpi slt, %offset, %band : index
    // every distance while the band is wide enough, else one in narrowest * octave / frame
    %wanted = arith.muli %least, %octave_512 : index
    %split = arith.ceildivsi %wanted, %tokens : index
    %phase = arith.remsi %apart, %split : index
    %in_phase = arith.cmpi eq, %phase, %zero : index
    %radial = arith.andi %in_band, %in_phase : i1
    %has_sink = tercet.value %sink : !tercet.static<flag>
    %is_first = arith.cmpi eq, %t_key, %zero : index
    %is_sink = arith.andi %has_sink, %is_first : i1
    %first_text = tercet.value %video : !tercet.runtime<i64>
    %last = arith.maxsi %i, %j : index
    %is_text = arith.cmpi sge, %last, %first_text : index
    %near_or_sink = arith.ori %radial, %is_sink : i1
    %allowed = arith.ori %near_or_sink, %is_text : i1
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v scale(%scale) mask(%rule)
  tercet.return %o
}
