// RUN: tercet-opt %s --split-input-file --verify-diagnostics
// Rings: what would race or hang is refused.

// fill C1: thread copies take views.
tkern.kernel @fill_c1(%i: index, %g: index, %u: index, %map: !tkern.tensor_map<64x64xbf16>) {
  %ring = tkern.ring : !tkern.ring<2 x <64x64xbf16, stride 72, shared>, cp_async>
  // expected-error @+1 {{C1: fills a cp_async ring from '!tkern.tensor_map<64x64xbf16>' at 3 positions}}
  tkern.fill %ring[%i] from %map[%i, %g, %u]
      : !tkern.tensor_map<64x64xbf16> to !tkern.ring<2 x <64x64xbf16, stride 72, shared>, cp_async>
  tkern.end
}

// -----
// fill C2: a box has the rows of a slot.
tkern.kernel @fill_c2(%i: index, %g: index, %u: index, %map: !tkern.tensor_map<32x64xbf16>) {
  %ring = tkern.ring : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  // expected-error @+1 {{C2: '!tkern.tensor_map<32x64xbf16>' does not fit into slots of}}
  tkern.fill %ring[%i] from %map[%i, %g, %u]
      : !tkern.tensor_map<32x64xbf16> to !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  tkern.end
}

// -----
// fill C3
tkern.kernel @fill_c3(%i: index, %g: index, %u: index, %map: !tkern.tensor_map<64x64xbf16>) {
  %ring = tkern.ring : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  // expected-error @+1 {{C3: a tensor map knows its rows}}
  tkern.fill %ring[%i] from %map[%i, %g, %u] rows(%i)
      : !tkern.tensor_map<64x64xbf16> to !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  tkern.end
}

// -----
// fill C4: round the loop, the slot that the fill overwrites was last read with no barrier in between.
tkern.kernel @fill_c4(%i: index, %g: index, %u: index, %p: !tkern.pointer<bf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %view = tkern.view %p[%c0] : !tkern.pointer<bf16> -> !tkern.view<?x64xbf16, stride 64, global>
  %ring = tkern.ring : !tkern.ring<1 x <64x64xbf16, stride 72, shared>, cp_async>
  scf.for %j = %c0 to %g step %c1 {
    // expected-error @+1 {{C4: overwrites a slot that other warps may still read}}
    tkern.fill %ring[%j] from %view[%j]
        : !tkern.view<?x64xbf16, stride 64, global> to !tkern.ring<1 x <64x64xbf16, stride 72, shared>, cp_async>
    %tile = tkern.wait %ring[%j] later 0
        : !tkern.ring<1 x <64x64xbf16, stride 72, shared>, cp_async> -> !tkern.view<64x64xbf16, stride 72, shared>
    // expected-note @+1 {{the slot's last use}}
    %rows = tkern.fetch %tile[%c0, %c0]
        : !tkern.view<64x64xbf16, stride 72, shared> -> !tkern.view<16x64xbf16, stride 64, register>
  }
  tkern.end
}

// -----
// fill C5
tkern.kernel @fill_c5(%i: index, %g: index, %u: index, %map: !tkern.tensor_map<64x64xbf16>) {
  %ring = tkern.ring : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  // expected-error @+1 {{C5: fills a tma ring outside the producer region}}
  tkern.fill %ring[%i] from %map[%i, %g, %u]
      : !tkern.tensor_map<64x64xbf16> to !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  tkern.end
}

// -----
// wait C1
tkern.kernel @wait_c1(%i: index, %g: index, %u: index) {
  %ring = tkern.ring : !tkern.ring<2 x <64x64xbf16, stride 72, shared>, cp_async>
  // expected-error @+1 {{C1: sees '!tkern.view<32x64xbf16, stride 72, shared>', the slots are}}
  %tile = tkern.wait %ring[%i] later 0
      : !tkern.ring<2 x <64x64xbf16, stride 72, shared>, cp_async> -> !tkern.view<32x64xbf16, stride 72, shared>
  tkern.end
}

// -----
// wait C2
tkern.kernel @wait_c2(%i: index, %g: index, %u: index) {
  %ring = tkern.ring : !tkern.ring<2 x <64x64xbf16, stride 72, shared>, cp_async>
  // expected-error @+1 {{C2: has later -1}}
  %tile = tkern.wait %ring[%i] later -1
      : !tkern.ring<2 x <64x64xbf16, stride 72, shared>, cp_async> -> !tkern.view<64x64xbf16, stride 72, shared>
  tkern.end
}

// -----
// wait C3
tkern.kernel @wait_c3(%i: index, %g: index, %u: index) {
  %ring = tkern.ring : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  // expected-error @+1 {{C3: waits on a tma ring outside the consumer region}}
  %tile = tkern.wait %ring[%i] later 0
      : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma> -> !tkern.view<64x64xbf16, stride 64, shared, swizzled>
  tkern.end
}

// -----
// wait C4: a slot that is never released hangs the producer.
tkern.kernel @wait_c4(%i: index, %g: index, %u: index) {
  %ring = tkern.ring : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  tkern.roles producer registers 24 {
  } consumers 1 registers 240 {
    // expected-error @+1 {{C4: its slot is released 0 times in this block, expected once}}
    %tile = tkern.wait %ring[%i] later 0
        : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma> -> !tkern.view<64x64xbf16, stride 64, shared, swizzled>
  }
  tkern.end
}

// -----
// wait C4: a slot that is released too early is overwritten while it is read.
tkern.kernel @wait_c4_early(%i: index, %g: index, %u: index) {
  %c0 = arith.constant 0 : index
  %ring = tkern.ring : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  tkern.roles producer registers 24 {
  } consumers 1 registers 240 {
    %tile = tkern.wait %ring[%i] later 0
        : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma> -> !tkern.view<64x64xbf16, stride 64, shared, swizzled>
    // expected-error @+1 {{wait C4: comes before the slot's last use}}
    tkern.release %ring[%i] : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
    // expected-note @+1 {{which is here}}
    %rows = tkern.fetch %tile[%c0, %c0]
        : !tkern.view<64x64xbf16, stride 64, shared, swizzled> -> !tkern.view<64x64xbf16, stride 64, register>
  }
  tkern.end
}

// -----
// wait C5: a worker that goes the other way leaves the slot taken for ever.
tkern.kernel @wait_c5(%i: index, %g: index, %u: index) {
  %ring = tkern.ring : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  %takes = arith.cmpi eq, %i, %g : index
  tkern.roles producer registers 24 {
  } consumers 1 registers 240 {
    scf.if %takes {
      // expected-error @+1 {{C5: waits for a step in one branch only}}
      %tile = tkern.wait %ring[%i] later 0 : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma> -> !tkern.view<64x64xbf16, stride 64, shared, swizzled>
      tkern.release %ring[%i] : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
    } else {
      %tile = tkern.wait %ring[%g] later 0 : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma> -> !tkern.view<64x64xbf16, stride 64, shared, swizzled>
      tkern.release %ring[%g] : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
    }
  }
  tkern.end
}

// -----
// release C1
tkern.kernel @release_c1(%i: index, %g: index, %u: index) {
  %ring = tkern.ring : !tkern.ring<2 x <64x64xbf16, stride 72, shared>, cp_async>
  // expected-error @+1 {{C1: releases a slot of a cp_async ring}}
  tkern.release %ring[%i] : !tkern.ring<2 x <64x64xbf16, stride 72, shared>, cp_async>
  tkern.end
}

// -----
// release C2
tkern.kernel @release_c2(%i: index, %g: index, %u: index) {
  %ring = tkern.ring : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  tkern.roles producer registers 24 {
  } consumers 1 registers 240 {
    // expected-error @+1 {{C2: releases a step that was not waited for in this block}}
    tkern.release %ring[%i] : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  }
  tkern.end
}

// -----
// ring C1
tkern.kernel @ring_c1(%i: index, %g: index, %u: index) {
  // expected-error @+1 {{C1: lies at 512, expected a multiple of 1024}}
  %ring = tkern.ring at 512 : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  tkern.end
}

// -----
// ring C2
tkern.kernel @ring_c2(%i: index, %g: index, %u: index) {
  // expected-error @+1 {{C2: has 0 readers, expected at least one}}
  %ring = tkern.ring readers 0 : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  tkern.end
}

// -----
// clear_rows C1
tkern.kernel @clear_rows_c1(%i: index, %g: index, %u: index) {
  %ring = tkern.ring : !tkern.ring<2 x <64x64xbf16, stride 72, shared>, cp_async>
  %tile = tkern.wait %ring[%i] later 0
      : !tkern.ring<2 x <64x64xbf16, stride 72, shared>, cp_async> -> !tkern.view<64x64xbf16, stride 72, shared>
  // expected-error @+1 {{C1: clears '!tkern.view<64x64xbf16, stride 72, shared>'}}
  tkern.clear_rows %tile rows(%i) : !tkern.view<64x64xbf16, stride 72, shared>
  tkern.end
}

// -----
// clear_rows C2: the workers of both branches meet in its barrier.
tkern.kernel @clear_rows_c2(%i: index, %g: index, %u: index) {
  %ring = tkern.ring : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  %takes = arith.cmpi eq, %i, %g : index
  tkern.roles producer registers 24 {
  } consumers 1 registers 240 {
    scf.if %takes {
      %tile = tkern.wait %ring[%i] later 0 : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma> -> !tkern.view<64x64xbf16, stride 64, shared, swizzled>
      // expected-error @+1 {{C2: clears rows in one branch only}}
      tkern.clear_rows %tile rows(%u) : !tkern.view<64x64xbf16, stride 64, shared, swizzled>
      tkern.release %ring[%i] : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
    } else {
      %tile = tkern.wait %ring[%i] later 0 : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma> -> !tkern.view<64x64xbf16, stride 64, shared, swizzled>
      tkern.release %ring[%i] : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
    }
  }
  tkern.end
}

// -----
// Slots that box copies fill are swizzled.
tkern.kernel @ring_type(%i: index, %g: index, %u: index) {
  // expected-error @+1 {{box copies make swizzled slots and thread copies plain ones; got rows with tma}}
  %ring = tkern.ring : !tkern.ring<2 x <64x64xbf16, stride 64, shared>, tma>
  tkern.end
}

// -----
// A swizzled row is 128 bytes.
// expected-error @+1 {{a swizzled view lies in shared memory, in boxes of 128 bytes; got a stride of 72 x 'bf16'}}
!view = !tkern.view<64x72xbf16, stride 72, shared, swizzled>

// -----
// ring C3
tkern.kernel @ring_c3(%i: index, %g: index, %u: index) {
  // expected-error @+1 {{C3: is numbered, which only tma rings are}}
  %ring = tkern.ring numbered : !tkern.ring<2 x <64x64xbf16, stride 72, shared>, cp_async>
  tkern.end
}

// -----
// fill C6: the barrier of a numbered slot waits for its numbers.
tkern.kernel @fill_c6(%i: index, %g: index, %u: index, %k: !tkern.tensor_map<64x64xbf16>) {
  %ring = tkern.ring numbered : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  tkern.roles producer registers 24 {
    // expected-error @+1 {{C6: fills a numbered ring with 'none'}}
    tkern.fill %ring[%i] from %k[%i, %g, %u]
        : !tkern.tensor_map<64x64xbf16> to !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  } consumers 1 registers 240 {
  }
  tkern.end
}

// -----
// fill C6
tkern.kernel @fill_c6_view(%i: index, %g: index, %u: index, %k: !tkern.tensor_map<64x64xbf16>, %p: !tkern.pointer<f32>) {
  %c0 = arith.constant 0 : index
  %numbers = tkern.view %p[%c0] : !tkern.pointer<f32> -> !tkern.view<?x4xf32, stride 4, global>
  %ring = tkern.ring numbered : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  tkern.roles producer registers 24 {
    // expected-error @+1 {{C6: fills a numbered ring with '!tkern.view<?x4xf32, stride 4, global>'}}
    tkern.fill %ring[%i] from %k[%i, %g, %u]
        : !tkern.tensor_map<64x64xbf16> to !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
        numbers(%numbers : !tkern.view<?x4xf32, stride 4, global>)
  } consumers 1 registers 240 {
  }
  tkern.end
}

// -----
// column_numbers C1
tkern.kernel @column_numbers_c1(%i: index, %g: index, %u: index) {
  %ring = tkern.ring : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  // expected-error @+1 {{C1: reads numbers of a ring without}}
  %numbers = tkern.column_numbers %ring[%i] : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma> -> !tkern.tile<64x64>
  tkern.end
}

// -----
// column_numbers C2
tkern.kernel @column_numbers_c2(%i: index, %g: index, %u: index) {
  %ring = tkern.ring numbered : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  // expected-error @+1 {{C2: makes '!tkern.tile<64x128>' of 64 numbers}}
  %numbers = tkern.column_numbers %ring[%i] : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma> -> !tkern.tile<64x128>
  tkern.end
}

// -----
// column_numbers C3: after the release the next numbers may be there.
tkern.kernel @column_numbers_c3(%i: index, %g: index, %u: index) {
  %ring = tkern.ring numbered : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  tkern.roles producer registers 24 {
  } consumers 1 registers 240 {
    %tile = tkern.wait %ring[%i] later 0
        : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma> -> !tkern.view<64x64xbf16, stride 64, shared, swizzled>
    tkern.release %ring[%i] : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
    // expected-error @+1 {{C3: reads numbers of a step outside of its wait and release}}
    %numbers = tkern.column_numbers %ring[%i] : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma> -> !tkern.tile<64x64>
  }
  tkern.end
}
