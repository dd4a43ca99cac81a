// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// RUN: tercet-opt %s --mlir-print-op-generic | tercet-opt | FileCheck %s
// What is printed parses to the same kernel, from the pretty and from the generic syntax.

// CHECK-LABEL: tkern.kernel @types
// CHECK-SAME: !tkern.pointer<i8>, %{{.*}}: !tkern.pointer<bf16>, %{{.*}}: index, %{{.*}}: f64) attributes {note = 1 : i32}
tkern.kernel @types(%i: index, %g: index, %u: index, %bytes: !tkern.pointer<i8>, %halves: !tkern.pointer<bf16>, %n: index,
                    %scale: f64) attributes {note = 1 : i32} {
  %zero = arith.constant 0 : index
  // CHECK: tkern.scratch : <64x128xf32, stride 144, local>
  %local = tkern.scratch : !tkern.view<64x128xf32, stride 144, local>
  // CHECK: tkern.scratch : <16x16xf16, stride 16, shared>
  %shared = tkern.scratch : !tkern.view<16x16xf16, stride 16, shared>
  // CHECK: tkern.scratch : <16x16xf32, stride 16, register>
  %register = tkern.scratch : !tkern.view<16x16xf32, stride 16, register>
  // CHECK: tkern.view %{{.*}}[%{{.*}}] stride(%{{.*}}) : <bf16> -> <?x?xbf16, stride ?, global>
  %strided = tkern.view %halves[%zero] stride(%n) : !tkern.pointer<bf16> -> !tkern.view<?x?xbf16, stride ?, global>
  // CHECK: tkern.read %{{.*}}[%{{.*}}] : <i8> -> index
  %class = tkern.read %bytes[%i] : !tkern.pointer<i8> -> index
  // CHECK: tkern.read %{{.*}}[%{{.*}}] : <bf16> -> f32
  %else = tkern.read %halves[%class] : !tkern.pointer<bf16> -> f32
  // CHECK: tkern.load %{{.*}}[%{{.*}}, %{{.*}}] rows(%{{.*}}) cols(%{{.*}}) else(%{{.*}}) : <?x?xbf16, stride ?, global> -> <4x64>
  %t = tkern.load %strided[%i, %zero] rows(%n) cols(%n) else(%else)
      : !tkern.view<?x?xbf16, stride ?, global> -> !tkern.tile<4x64>
  // CHECK: tkern.reduce add %{{.*}} : <4x64> -> <4x1>
  %sum = tkern.reduce add %t : !tkern.tile<4x64> -> !tkern.tile<4x1>
  // CHECK: tkern.store %{{.*}}, %{{.*}}[%{{.*}}, %{{.*}}] rows(%{{.*}}) : <4x1>, <64x128xf32, stride 144, local>
  tkern.store %sum, %local[%zero, %zero] rows(%n) : !tkern.tile<4x1>, !tkern.view<64x128xf32, stride 144, local>
  // CHECK: tkern.matmul %{{.*}}, %{{.*}}, %{{.*}} depth 8 transposed : <64x128xf32, stride 144, local>
  %p = tkern.matmul %local, %local, %t depth 8 transposed
      : !tkern.view<64x128xf32, stride 144, local>, !tkern.view<64x128xf32, stride 144, local>, !tkern.tile<4x64>
  // CHECK: tkern.matmul %{{.*}}, %{{.*}}, %{{.*}} depth 8 ahead %{{.*}} 64 : {{.*}}, !tkern.view<?x?xbf16, stride ?, global>
  %l = tkern.matmul %local, %local, %t depth 8 ahead %strided 64
      : !tkern.view<64x128xf32, stride 144, local>, !tkern.view<64x128xf32, stride 144, local>, !tkern.tile<4x64>,
        !tkern.view<?x?xbf16, stride ?, global>
  // CHECK: tkern.accumulate %{{.*}}, %{{.*}} into %{{.*}} : <4x64>
  tkern.accumulate %p, %local into %local
      : !tkern.tile<4x64>, !tkern.view<64x128xf32, stride 144, local>, !tkern.view<64x128xf32, stride 144, local>
  // CHECK: tkern.accumulate %{{.*}}, %{{.*}} into %{{.*}} ahead %{{.*}} 64 : <4x64>
  tkern.accumulate %l, %local into %local ahead %strided 64
      : !tkern.tile<4x64>, !tkern.view<64x128xf32, stride 144, local>, !tkern.view<64x128xf32, stride 144, local>,
        !tkern.view<?x?xbf16, stride ?, global>
  // CHECK: tkern.end
  tkern.end
}
