// RUN: tercet-opt %s --split-input-file --verify-diagnostics
// Bodies over pairs.

tkern.kernel @map_pairs_c1(%i: index, %g: index, %u: index) {
  %one = arith.constant 1.0 : f32
  %t = tkern.splat %one : !tkern.tile<4x64>
  // expected-error @+1 {{C1: has a body that gets ('f32', 'i32'), expected ('f32', 'i32', 'i32')}}
  %m = tkern.map_pairs %t at[%i, %g] : !tkern.tile<4x64> {
  ^bb0(%x: f32, %row: i32):
    tkern.yield %x
  }
  tkern.end
}

// -----

tkern.kernel @map_pairs_c1_yield(%i: index, %g: index, %u: index) {
  %one = arith.constant 1.0 : f32
  %t = tkern.splat %one : !tkern.tile<4x64>
  %m = tkern.map_pairs %t at[%i, %g] : !tkern.tile<4x64> {
  ^bb0(%x: f32, %row: i32, %col: i32):
    // expected-error @+1 {{block with no terminator}}
    %y = arith.negf %x : f32
  }
  tkern.end
}

// -----

tkern.kernel @map_pairs_c2(%i: index, %g: index, %u: index, %p: !tkern.pointer<f32>) {
  %one = arith.constant 1.0 : f32
  %t = tkern.splat %one : !tkern.tile<4x64>
  %m = tkern.map_pairs %t at[%i, %g] : !tkern.tile<4x64> {
  ^bb0(%x: f32, %row: i32, %col: i32):
    // expected-error @+1 {{C2: is not an arith or math op or tkern.element, which is all that a tkern.map_pairs body holds}}
    %y = tkern.read %p[%i] : !tkern.pointer<f32> -> f32
    tkern.yield %y
  }
  tkern.end
}

// -----

tkern.kernel @map_pairs_c3(%i: index, %g: index, %u: index) {
  %one = arith.constant 1.0 : f32
  %t = tkern.splat %one : !tkern.tile<4x64>
  %n = tkern.splat %one : !tkern.tile<2x64>
  // expected-error @+1 {{C3: cannot broadcast '!tkern.tile<2x64>' to '!tkern.tile<4x64>'}}
  %m = tkern.map_pairs %t at[%i, %g] with %n : !tkern.tile<4x64>, !tkern.tile<2x64> {
  ^bb0(%x: f32, %row: i32, %col: i32, %y: f32):
    tkern.yield %y
  }
  tkern.end
}

// -----

tkern.kernel @element_c1(%i: index, %g: index, %u: index, %p: !tkern.pointer<f32>) {
  %zero = arith.constant 0 : i32
  // expected-error @+1 {{C1: has 2 indices, 1 sizes and 2 strides; expected one of each per axis}}
  %e = tkern.element %p[%zero, %zero] sizes(%i) strides(%i, %g) : !tkern.pointer<f32> -> f32
  tkern.end
}

// -----

tkern.kernel @element_c2(%i: index, %g: index, %u: index, %p: !tkern.pointer<f32>) {
  %zero = arith.constant 0 : i32
  // expected-error @+1 {{C2: reads 'f32' as 'i32'}}
  %e = tkern.element %p[%zero] sizes(%i) strides(%g) : !tkern.pointer<f32> -> i32
  tkern.end
}
