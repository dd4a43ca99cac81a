// RUN: tercet-opt %s --split-input-file --verify-diagnostics
// block_set: docs/spec.md#block_set.

// C1: block sizes.
tercet.spec @block_set_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 24 : !tercet.static<i64>
  // expected-error @+1 {{C1: block is 24; a block size is a multiple of 16 from 16 to 256}}
  %set = tercet.block_set blocks(%block, %block) {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %member = arith.cmpi sle, %j, %i : index
    tercet.yield %member : i1
  }
  %classes = tercet.pattern %set
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// C2: the yielded value.
tercet.spec @block_set_c2(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  // expected-error @+1 {{C2: the region gets ('index'); expected ('index', 'index', 'index', 'index')}}
  %set = tercet.block_set blocks(%block, %block) {
  ^bb0(%j: index):
    %member = arith.cmpi sle, %j, %j : index
    tercet.yield %member : i1
  }
  %classes = tercet.pattern %set
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// C3: as mask C2.
tercet.spec @block_set_c3(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %set = tercet.block_set blocks(%block, %block) {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    // expected-error @+1 {{C3: is not an op of regions}}
    %bits = math.ctpop %i : index
    %member = arith.cmpi sle, %j, %bits : index
    tercet.yield %member : i1
  }
  %classes = tercet.pattern %set
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}
