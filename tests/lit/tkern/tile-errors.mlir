// RUN: tercet-opt %s --split-input-file --verify-diagnostics --allow-unregistered-dialect
// Tile ops.

tkern.kernel @matmul_depth(%i: index, %g: index, %u: index) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  %t = tkern.splat %one : !tkern.tile<4x64>
  %v = tkern.scratch : !tkern.view<4x64xf32, stride 64, local>
  // expected-error @+1 {{has depth 0, expected >= 1}}
  %p = tkern.matmul %v, %v, %t depth 0
      : !tkern.view<4x64xf32, stride 64, local>, !tkern.view<4x64xf32, stride 64, local>, !tkern.tile<4x64>
  tkern.end
}

// -----

tkern.kernel @reduce(%i: index, %g: index, %u: index) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  %t = tkern.splat %one : !tkern.tile<4x64>
  // expected-error @+1 {{reduces '!tkern.tile<4x64>' to '!tkern.tile<1x64>', expected 4x1}}
  %r = tkern.reduce max %t : !tkern.tile<4x64> -> !tkern.tile<1x64>
  tkern.end
}

// -----

tkern.kernel @map_arguments(%i: index, %g: index, %u: index) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  %t = tkern.splat %one : !tkern.tile<4x64>
  // expected-error @+1 {{has 1 inputs and 2 body arguments}}
  %m = tkern.map %t : !tkern.tile<4x64> -> !tkern.tile<4x64> {
  ^bb0(%x: f32, %y: f32):
    tkern.yield %x
  }
  tkern.end
}

// -----

tkern.kernel @map_broadcast(%i: index, %g: index, %u: index) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  %t = tkern.splat %one : !tkern.tile<4x64>
  // expected-error @+1 {{cannot broadcast '!tkern.tile<4x64>' to '!tkern.tile<8x64>'}}
  %m = tkern.map %t : !tkern.tile<4x64> -> !tkern.tile<8x64> {
  ^bb0(%x: f32):
    tkern.yield %x
  }
  tkern.end
}

// -----

tkern.kernel @map_type(%i: index, %g: index, %u: index) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  %t = tkern.splat %one : !tkern.tile<4x64>
  // expected-error @+1 {{has a body argument of type 'f64', expected f32}}
  %m = tkern.map %t : !tkern.tile<4x64> -> !tkern.tile<4x64> {
  ^bb0(%x: f64):
    tkern.yield %one
  }
  tkern.end
}

// -----

tkern.kernel @map_body(%i: index, %g: index, %u: index) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  %t = tkern.splat %one : !tkern.tile<4x64>
  %m = tkern.map %t : !tkern.tile<4x64> -> !tkern.tile<4x64> {
  ^bb0(%x: f32):
    // expected-error @+1 {{is not an arith or math op, which is all that a tkern.map body holds}}
    %s = tkern.splat %x : !tkern.tile<4x64>
    tkern.yield %x
  }
  tkern.end
}

// -----

tkern.kernel @map_unregistered(%i: index, %g: index, %u: index) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  %t = tkern.splat %one : !tkern.tile<4x64>
  %m = tkern.map %t : !tkern.tile<4x64> -> !tkern.tile<4x64> {
  ^bb0(%x: f32):
    // expected-error @+1 {{is not an arith or math op}}
    "other.op"() : () -> ()
    tkern.yield %x
  }
  tkern.end
}

// -----

tkern.kernel @map_end(%i: index, %g: index, %u: index) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  %t = tkern.splat %one : !tkern.tile<4x64>
  // expected-error @+1 {{ends with 'other.yield', expected tkern.yield}}
  %m = tkern.map %t : !tkern.tile<4x64> -> !tkern.tile<4x64> {
  ^bb0(%x: f32):
    "other.yield"() : () -> ()
  }
  tkern.end
}

// -----

tkern.kernel @map_empty(%i: index, %g: index, %u: index) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  %t = tkern.splat %one : !tkern.tile<4x64>
  // expected-error @+1 {{expects a non-empty block}}
  %m = tkern.map %t : !tkern.tile<4x64> -> !tkern.tile<4x64> {
  ^bb0(%x: f32):
  }
  tkern.end
}

// -----

tkern.kernel @map_no_block(%i: index, %g: index, %u: index) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  %t = tkern.splat %one : !tkern.tile<4x64>
  // expected-error @+1 {{failed to verify constraint: region with 1 blocks}}
  %m = "tkern.map"(%t) ({
  }) : (!tkern.tile<4x64>) -> !tkern.tile<4x64>
  tkern.end
}

// -----

tkern.kernel @softmax_threshold(%i: index, %g: index, %u: index) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  %first = arith.constant true
  %t = tkern.splat %one : !tkern.tile<4x64>
  %v = tkern.scratch : !tkern.view<4x64xf32, stride 64, local>
  // expected-error @+1 {{has the threshold 0x7F800000 : f32, expected a finite number >= 0}}
  %p = tkern.softmax_step %t max %v sum %v acc %v first %first {threshold = 0x7F800000 : f32}
      : !tkern.tile<4x64>, !tkern.view<4x64xf32, stride 64, local>, !tkern.view<4x64xf32, stride 64, local>,
        !tkern.view<4x64xf32, stride 64, local>
  tkern.end
}

// -----

tkern.kernel @softmax_in_place_c1(%i: index, %g: index, %u: index, %p: !tkern.pointer<f32>) {
  %zero = arith.constant 0 : index
  %v = tkern.view %p[%zero] : !tkern.pointer<f32> -> !tkern.view<6x64xf32, stride 64, global>
  // expected-error @+1 {{C1: turns '!tkern.view<6x64xf32, stride 64, global>' into p; expected f32 with static extents in the item's memory}}
  tkern.softmax_in_place %v max %v sum %v acc %v
      : !tkern.view<6x64xf32, stride 64, global>, !tkern.view<6x64xf32, stride 64, global>,
        !tkern.view<6x64xf32, stride 64, global>, !tkern.view<6x64xf32, stride 64, global>
  tkern.end
}

// -----

tkern.kernel @softmax_in_place_c2(%i: index, %g: index, %u: index) {
  %v = tkern.scratch : !tkern.view<6x64xf32, stride 64, local>
  // expected-error @+1 {{C2: has the threshold -1.000000e+00 : f32, expected a finite number >= 0}}
  tkern.softmax_in_place %v max %v sum %v acc %v {threshold = -1.0 : f32}
      : !tkern.view<6x64xf32, stride 64, local>, !tkern.view<6x64xf32, stride 64, local>,
        !tkern.view<6x64xf32, stride 64, local>, !tkern.view<6x64xf32, stride 64, local>
  tkern.end
}

// -----

"other.region"() ({
  %x = arith.constant 1.0 : f32
  // expected-error @+1 {{expects parent op to be one of 'tkern.map, tkern.map_pairs'}}
  tkern.yield %x
}) : () -> ()
