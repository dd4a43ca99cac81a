// RUN: tercet-opt %s --split-input-file --verify-diagnostics --allow-unregistered-dialect
// The shaped types: nothing that cannot exist gets a type.

// expected-error @+1 {{a pointer of 'index'; elements are integers or floats}}
tkern.kernel @pointer(%i: index, %g: index, %u: index, %x: !tkern.pointer<index>) {
  tkern.end
}

// -----

// expected-error @+1 {{a pointer of '!tkern.pointer<f32>'; elements are integers or floats}}
tkern.kernel @pointer_nested(%i: index, %g: index, %u: index, %x: !tkern.pointer<!tkern.pointer<f32>>) {
  tkern.end
}

// -----

// expected-error @+1 {{a view of 'index'; elements are integers or floats}}
tkern.kernel @view_element(%i: index, %g: index, %u: index, %x: !tkern.view<4x4xindex, stride 4, local>) {
  tkern.end
}

// -----

// expected-error @+1 {{a view has an extent of 0; extents are >= 1 or ?}}
tkern.kernel @view_extent(%i: index, %g: index, %u: index, %x: !tkern.view<0x4xf32, stride 4, local>) {
  tkern.end
}

// -----

// expected-error @+1 {{a view has a stride of -4; strides are >= 0 or ?}}
tkern.kernel @view_stride(%i: index, %g: index, %u: index, %x: !tkern.view<4x4xf32, stride -4, local>) {
  tkern.end
}

// -----

// expected-error @+1 {{expected <ROWSxCOLSxTYPE, stride N, global|local|shared|register[, swizzled]>}}
tkern.kernel @view_rank(%i: index, %g: index, %u: index, %x: !tkern.view<4xf32, stride 4, local>) {
  tkern.end
}

// -----

// expected-error @+1 {{expected <ROWSxCOLSxTYPE, stride N, global|local|shared|register[, swizzled]>}}
tkern.kernel @view_space(%i: index, %g: index, %u: index, %x: !tkern.view<4x4xf32, stride 4, attic>) {
  tkern.end
}

// -----

// expected-error @+1 {{a swizzled view lies in shared memory, in boxes of 128 bytes; got a stride of 64 x 'f32' in shared memory}}
tkern.kernel @view_swizzled(%i: index, %g: index, %u: index, %x: !tkern.view<8x64xf32, stride 64, shared, swizzled>) {
  tkern.end
}

// -----

// expected-error @+1 {{a tile of 0 x 64; extents are >= 1, and at most 65536 elements}}
tkern.kernel @tile_zero(%i: index, %g: index, %u: index, %x: !tkern.tile<0x64>) {
  tkern.end
}

// -----

// expected-error @+1 {{a tile of 1000000 x 1000000; extents are >= 1, and at most 65536 elements}}
tkern.kernel @tile_large(%i: index, %g: index, %u: index, %x: !tkern.tile<1000000x1000000>) {
  tkern.end
}

// -----

// expected-error @+1 {{a tile of 4294967296 x 4294967296}}
tkern.kernel @tile_overflow(%i: index, %g: index, %u: index, %x: !tkern.tile<4294967296x4294967296>) {
  tkern.end
}

// -----

// expected-error @+1 {{expected <ROWSxCOLS>}}
tkern.kernel @tile_rank(%i: index, %g: index, %u: index, %x: !tkern.tile<4>) {
  tkern.end
}
