// RUN: tercet-opt %s --split-input-file --verify-diagnostics --allow-unregistered-dialect
// kernel and memory ops.

// C1: arguments.
// expected-error @+1 {{C1: has 2 arguments; the first three are the item's indices}}
tkern.kernel @kernel_c1_few(%i: index, %g: index) {
  tkern.end
}

// -----

// expected-error @+1 {{C1: argument 1 is 'f64'; expected index}}
tkern.kernel @kernel_c1_item(%i: index, %g: f64, %u: index) {
  tkern.end
}

// -----

// expected-error @+1 {{C1: argument 3 is 'f32'; expected a pointer, index, f64 or tensor map}}
tkern.kernel @kernel_c1_slot(%i: index, %g: index, %u: index, %x: f32) {
  tkern.end
}

// -----

// C2: the end.
// expected-error @+1 {{C2: ends with 'other.end', expected tkern.end}}
"tkern.kernel"() <{sym_name = "kernel_c2"}> ({
^bb0(%i: index, %g: index, %u: index):
  "other.end"() : () -> ()
}) : () -> ()

// -----

// expected-error @+1 {{expects a non-empty block}}
tkern.kernel @empty(%i: index, %g: index, %u: index) {
}

// -----

tkern.kernel @no_end(%i: index, %g: index, %u: index) {
  // expected-error @+1 {{block with no terminator}}
  %zero = arith.constant 0 : index
}

// -----

// expected-error @+1 {{attribute 'sym_name' is part of the syntax}}
tkern.kernel @named(%i: index, %g: index, %u: index) attributes {sym_name = "other"} {
  tkern.end
}

// -----

// expected-error @+1 {{expects parent op 'tkern.kernel'}}
tkern.end

// -----

tkern.kernel @scratch_dynamic(%i: index, %g: index, %u: index) {
  // expected-error @+1 {{has the type '!tkern.view<?x64xf32, stride 64, local>'; scratch has static extents and stride}}
  %s = tkern.scratch : !tkern.view<?x64xf32, stride 64, local>
  tkern.end
}

// -----

tkern.kernel @scratch_global(%i: index, %g: index, %u: index) {
  // expected-error @+1 {{cannot make global memory}}
  %s = tkern.scratch : !tkern.view<4x64xf32, stride 64, global>
  tkern.end
}

// -----

tkern.kernel @view_stride(%i: index, %g: index, %u: index, %p: !tkern.pointer<f32>) {
  %zero = arith.constant 0 : index
  // expected-error @+1 {{takes a stride operand exactly where the view's stride is ?}}
  %v = tkern.view %p[%zero] : !tkern.pointer<f32> -> !tkern.view<4x64xf32, stride ?, global>
  tkern.end
}

// -----

tkern.kernel @view_stride_twice(%i: index, %g: index, %u: index, %p: !tkern.pointer<f32>) {
  %zero = arith.constant 0 : index
  // expected-error @+1 {{takes a stride operand exactly where the view's stride is ?}}
  %v = tkern.view %p[%zero] stride(%zero) : !tkern.pointer<f32> -> !tkern.view<4x64xf32, stride 64, global>
  tkern.end
}

// -----

tkern.kernel @view_element(%i: index, %g: index, %u: index, %p: !tkern.pointer<f32>) {
  %zero = arith.constant 0 : index
  // expected-error @+1 {{sees '!tkern.pointer<f32>' as '!tkern.view<4x64xbf16, stride 64, global>'}}
  %v = tkern.view %p[%zero] : !tkern.pointer<f32> -> !tkern.view<4x64xbf16, stride 64, global>
  tkern.end
}

// -----

tkern.kernel @subview(%i: index, %g: index, %u: index) {
  %zero = arith.constant 0 : index
  %s = tkern.scratch : !tkern.view<4x64xf32, stride 64, local>
  // expected-error @+1 {{changes more than the extents: '!tkern.view<4x64xf32, stride 64, local>' to '!tkern.view<4x32xf32, stride 32, local>'}}
  %v = tkern.subview %s[%zero, %zero] : !tkern.view<4x64xf32, stride 64, local> -> !tkern.view<4x32xf32, stride 32, local>
  tkern.end
}

// -----

tkern.kernel @read_integer(%i: index, %g: index, %u: index, %p: !tkern.pointer<i32>) {
  %zero = arith.constant 0 : index
  // expected-error @+1 {{reads 'i32' as 'f32'; integers become index and floats f32}}
  %v = tkern.read %p[%zero] : !tkern.pointer<i32> -> f32
  tkern.end
}

// -----

tkern.kernel @read_float(%i: index, %g: index, %u: index, %p: !tkern.pointer<bf16>) {
  %zero = arith.constant 0 : index
  // expected-error @+1 {{reads 'bf16' as 'index'; integers become index and floats f32}}
  %v = tkern.read %p[%zero] : !tkern.pointer<bf16> -> index
  tkern.end
}

// -----

tkern.kernel @look_ahead(%i: index, %g: index, %u: index) {
  %zero = arith.constant 0 : index
  %s = tkern.scratch : !tkern.view<4x64xf32, stride 64, local>
  %t = tkern.load %s[%zero, %zero] : !tkern.view<4x64xf32, stride 64, local> -> !tkern.tile<4x64>
  // expected-error @+1 {{looks ahead at 0 elements, expected >= 1}}
  tkern.accumulate %t, %s into %s ahead %s 0
      : !tkern.tile<4x64>, !tkern.view<4x64xf32, stride 64, local>, !tkern.view<4x64xf32, stride 64, local>,
        !tkern.view<4x64xf32, stride 64, local>
  tkern.end
}

// -----

// C1: a function is named by one word.
tkern.kernel @call_c1(%i: index, %g: index, %u: index) {
  // expected-error @+1 {{C1: names 'Pool rows'; expected lower-case letters, digits and underscores}}
  tkern.call "Pool rows" from "pool" <[]> () : () -> ()
  tkern.end
}

// -----

// C2: template arguments are integers, flags and types.
tkern.kernel @call_c2(%i: index, %g: index, %u: index) {
  // expected-error @+1 {{C2: has the constant "wide"; expected an integer, a flag or an element type}}
  tkern.call "pool_rows" from "pool" <["wide"]> () : () -> ()
  tkern.end
}

// -----

tkern.kernel @write_float(%i: index, %g: index, %u: index, %p: !tkern.pointer<f32>) {
  // expected-error @+1 {{writes an integer as 'f32'; expected i8 or i32}}
  tkern.write %i, %p[%g] : !tkern.pointer<f32>
  tkern.end
}
