// RUN: tercet-opt %s --split-input-file --verify-diagnostics
// Products in flight, roles and register operands.

!tile = !tkern.view<64x64xbf16, stride 64, shared, swizzled>

// matmul_async C1
tkern.kernel @matmul_async_c1(%i: index, %g: index, %u: index, %p: !tkern.pointer<bf16>) {
  %v = tkern.view %p[%i] : !tkern.pointer<bf16> -> !tkern.view<64x64xbf16, stride 64, global>
  // expected-error @+1 {{C1: multiplies '!tkern.view<64x64xbf16, stride 64, global>' by}}
  %s = tkern.matmul_async %v, %v depth 64
      : !tkern.view<64x64xbf16, stride 64, global>, !tkern.view<64x64xbf16, stride 64, global> -> !tkern.pending<64x64>
  tkern.end
}

// -----
!tile = !tkern.view<64x64xbf16, stride 64, shared, swizzled>
// matmul_async C2: a warpgroup holds 64 rows.
tkern.kernel @matmul_async_c2(%i: index, %g: index, %u: index) {
  %a = tkern.scratch : !tkern.view<128x64xbf16, stride 64, register>
  %b = tkern.scratch : !tile
  // expected-error @+1 {{C2: is a product of 128x64 over 64; expected 64 rows}}
  %s = tkern.matmul_async %a, %b depth 64 : !tkern.view<128x64xbf16, stride 64, register>, !tile -> !tkern.pending<128x64>
  tkern.end
}

// -----
!tile = !tkern.view<64x64xbf16, stride 64, shared, swizzled>
// matmul_async C3: a product nobody waits for.
tkern.kernel @matmul_async_c3(%i: index, %g: index, %u: index) {
  %a = tkern.scratch : !tile
  // expected-error @+1 {{C3: is awaited 0 times, expected once and in the same block}}
  %s = tkern.matmul_async %a, %a depth 64 : !tile, !tile -> !tkern.pending<64x64>
  tkern.end
}

// -----
!tile = !tkern.view<64x64xbf16, stride 64, shared, swizzled>
!acc = !tkern.view<64x64xf32, stride 64, register>
// accumulate_async C4: the accumulator is read while the product writes it.
tkern.kernel @accumulate_async_c4(%i: index, %g: index, %u: index) {
  %zero = arith.constant 0.0 : f32
  %p = tkern.splat %zero : !tkern.tile<64x64>
  %b = tkern.scratch : !tile
  %acc = tkern.scratch : !acc
  // expected-note @+1 {{the product that writes it}}
  %added = tkern.accumulate_async %p, %b into %acc : !tkern.tile<64x64>, !tile, !acc
  // expected-error @+1 {{accumulate_async C4: touches an accumulator in flight}}
  %out = tkern.load %acc[%i, %i] : !acc -> !tkern.tile<64x64>
  tkern.await %added later 0 : !tkern.token
  tkern.end
}

// -----
!tile = !tkern.view<64x64xbf16, stride 64, shared, swizzled>
// accumulate_async C1, C2
tkern.kernel @accumulate_async_c2(%i: index, %g: index, %u: index) {
  %zero = arith.constant 0.0 : f32
  %p = tkern.splat %zero : !tkern.tile<64x32>
  %b = tkern.scratch : !tile
  %acc = tkern.scratch : !tkern.view<64x64xf32, stride 64, register>
  // expected-error @+1 {{C2: adds '!tkern.tile<64x32>' x '!tkern.view<64x64xbf16, stride 64, shared, swizzled>' to}}
  %added = tkern.accumulate_async %p, %b into %acc : !tkern.tile<64x32>, !tile, !tkern.view<64x64xf32, stride 64, register>
  tkern.await %added later 0 : !tkern.token
  tkern.end
}

// -----
!tile = !tkern.view<64x64xbf16, stride 64, shared, swizzled>
// await C1
tkern.kernel @await_c1(%i: index, %g: index, %u: index) {
  %a = tkern.scratch : !tile
  %s = tkern.matmul_async %a, %a depth 64 : !tile, !tile -> !tkern.pending<64x64>
  // expected-error @+1 {{C1: makes '!tkern.tile<64x32>' of '!tkern.pending<64x64>'}}
  %t = tkern.await %s later 0 : !tkern.pending<64x64> -> !tkern.tile<64x32>
  tkern.end
}

// -----
!tile = !tkern.view<64x64xbf16, stride 64, shared, swizzled>
// await C2: two products are under way at the first wait.
tkern.kernel @await_c2(%i: index, %g: index, %u: index) {
  %a = tkern.scratch : !tile
  %s = tkern.matmul_async %a, %a depth 64 : !tile, !tile -> !tkern.pending<64x64>
  %r = tkern.matmul_async %a, %a depth 64 : !tile, !tile -> !tkern.pending<64x64>
  // expected-error @+1 {{C2: has later 0, but 1 products start before the wait}}
  %t = tkern.await %s later 0 : !tkern.pending<64x64> -> !tkern.tile<64x64>
  %x = tkern.await %r later 0 : !tkern.pending<64x64> -> !tkern.tile<64x64>
  tkern.end
}

// -----
// roles C1
tkern.kernel @roles_c1(%i: index, %g: index, %u: index) {
  // expected-error @+1 {{C1: asks for 250 registers per thread}}
  tkern.roles producer registers 24 { } consumers 1 registers 250 { }
  tkern.end
}

// -----
tkern.kernel @roles_c1_total(%i: index, %g: index, %u: index) {
  // expected-error @+1 {{C1: threads of a producer and 3 consumers ask for 744 registers, they start with 512}}
  tkern.roles producer registers 24 { } consumers 3 registers 240 { }
  tkern.end
}

// -----
// roles C1: three warpgroups start with 168 each
tkern.kernel @roles_c1_start(%i: index, %g: index, %u: index) {
  // expected-error @+1 {{C1: threads of a producer and 2 consumers ask for 512 registers, they start with 504}}
  tkern.roles producer registers 32 { } consumers 2 registers 240 { }
  tkern.end
}

// -----
// roles C2
tkern.kernel @roles_c2(%i: index, %g: index, %u: index) {
  // expected-error @+1 {{C2: has 4 consumers, expected 1 to 3}}
  tkern.roles producer registers 24 { } consumers 4 registers 104 { }
  tkern.end
}

// -----
// fetch C1
tkern.kernel @fetch_c1(%i: index, %g: index, %u: index, %p: !tkern.pointer<bf16>) {
  %v = tkern.view %p[%i] : !tkern.pointer<bf16> -> !tkern.view<64x64xbf16, stride 64, global>
  // expected-error @+1 {{C1: fetches}}
  %r = tkern.fetch %v[%i, %i] : !tkern.view<64x64xbf16, stride 64, global> -> !tkern.view<16x64xbf16, stride 64, register>
  tkern.end
}

// -----
// fetch C2
tkern.kernel @fetch_c2(%i: index, %g: index, %u: index) {
  %v = tkern.scratch : !tkern.view<64x72xbf16, stride 72, shared>
  // expected-error @+1 {{C2: makes '!tkern.view<16x72xbf16, stride 72, register>'}}
  %r = tkern.fetch %v[%i, %i] : !tkern.view<64x72xbf16, stride 72, shared> -> !tkern.view<16x72xbf16, stride 72, register>
  tkern.end
}

// -----
// The schedule of warps has no roles.
// expected-error @+1 {{registers are given per role of warpgroups, and 0 : 0 for warps}}
#schedule = #tkern.gpu_schedule<4 x warp, keys 64, slots 2, queries register, registers 24 : 240>

// -----
// expected-error @+1 {{columns are split beyond twice the mean or more, or for 0 never; got 1}}
#schedule = #tkern.gpu_schedule<4 x warp, keys 64, slots 2, queries shared, registers 0 : 0, split 1>

// -----
!tile = !tkern.view<64x64xbf16, stride 64, shared, swizzled>
!plain = !tkern.view<64x64xbf16, stride 64, shared>
!acc = !tkern.view<64x64xf32, stride 64, register>
// accumulate_async C1, C3
tkern.kernel @accumulate_async_c1(%i: index, %g: index, %u: index) {
  %zero = arith.constant 0.0 : f32
  %p = tkern.splat %zero : !tkern.tile<64x64>
  %b = tkern.scratch : !plain
  %acc = tkern.scratch : !acc
  // expected-error @+1 {{C1: multiplies by '!tkern.view<64x64xbf16, stride 64, shared>', expected swizzled shared memory}}
  %added = tkern.accumulate_async %p, %b into %acc : !tkern.tile<64x64>, !plain, !acc
  tkern.await %added later 0 : !tkern.token
  tkern.end
}

// -----
!tile = !tkern.view<64x64xbf16, stride 64, shared, swizzled>
!acc = !tkern.view<64x64xf32, stride 64, register>
tkern.kernel @accumulate_async_c3(%i: index, %g: index, %u: index) {
  %zero = arith.constant 0.0 : f32
  %p = tkern.splat %zero : !tkern.tile<64x64>
  %b = tkern.scratch : !tile
  %acc = tkern.scratch : !acc
  // expected-error @+1 {{C3: is awaited 0 times, expected once and in the same block}}
  %added = tkern.accumulate_async %p, %b into %acc : !tkern.tile<64x64>, !tile, !acc
  tkern.end
}
