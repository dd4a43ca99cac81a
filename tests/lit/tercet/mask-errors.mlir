// RUN: tercet-opt %s --split-input-file --verify-diagnostics
// mask: docs/spec.md#mask.

// C1: arguments and the yielded value.
tercet.spec @mask_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{C1: the region gets ('index', 'index'); expected ('index', 'index', 'index', 'index')}}
  %m = tercet.mask {
  ^bb0(%i: index, %j: index):
    %allowed = arith.cmpi sle, %j, %i : index
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v mask(%m)
  tercet.return %o
}

// -----

tercet.spec @mask_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %m = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %one = arith.constant 1.0 : f32
    // expected-error @+1 {{C1: yields 'f32'; expected 'i1'}}
    tercet.yield %one : f32
  }
  %o = tercet.sparse %q, %k, %v mask(%m)
  tercet.return %o
}

// -----

// C2: ops.
tercet.spec @mask_c2(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %m = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    // expected-error @+1 {{C2: is not an op of regions; these are arithmetic, comparison, select and casts of arith}}
    %bits = math.ctpop %i : index
    %allowed = arith.cmpi sle, %j, %bits : index
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v mask(%m)
  tercet.return %o
}

// -----

tercet.spec @mask_c2(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %m = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    // expected-error @+1 {{C2: makes 'i64'; regions work on f32, index, i32 and i1}}
    %wide = arith.index_cast %i : index to i64
    %narrow = arith.index_cast %wide : i64 to index
    %allowed = arith.cmpi sle, %j, %narrow : index
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v mask(%m)
  tercet.return %o
}

// -----

tercet.spec @mask_c2(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %bias: !tercet.table<[key], i32>) {
  %first = builtin.unrealized_conversion_cast to index
  %outer = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    // expected-error @+1 {{C2: takes a value from outside of the region; tables come in by tercet.read, parameters by tercet.value}}
    %size = tercet.read %bias[%first] : !tercet.table<[key], i32>
    %allowed = arith.cmpi sle, %j, %size : index
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v mask(%outer)
  tercet.return %o
}

// -----

// C2: truth values are no numbers.
tercet.spec @mask_c2(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %m = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %past = arith.cmpi sle, %j, %i : index
    %first = arith.cmpi eq, %j, %b : index
    // expected-error @+1 {{C2: computes with i1; truth values take andi, ori, xori, cmpi eq and ne, and select}}
    %allowed = arith.maxsi %past, %first : i1
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v mask(%m)
  tercet.return %o
}

// -----

tercet.spec @mask_c2(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %m = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %past = arith.cmpi sle, %j, %i : index
    // expected-error @+1 {{C2: computes with i1; truth values take andi, ori, xori, cmpi eq and ne, and select}}
    %number = arith.index_cast %past : i1 to index
    %allowed = arith.cmpi eq, %number, %j : index
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v mask(%m)
  tercet.return %o
}
