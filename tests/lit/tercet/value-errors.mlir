// RUN: tercet-opt %s --split-input-file --verify-diagnostics
// value: docs/spec.md#value.

// C1: numbers and flags.
tercet.spec @value_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %o = tercet.sparse %q, %k, %v scale(%scale) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    // expected-error @+1 {{C1: scale is auto; expected a number or a flag}}
    %x = tercet.value %scale : !tercet.runtime<f64>
    tercet.yield %x : f32
  }
  tercet.return %o
}

// -----

tercet.spec @value_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %kind = tercet.param kind = relu : !tercet.static<keyword>
  %o = tercet.sparse %q, %k, %v score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    // expected-error @+1 {{C1: kind is a keyword; expected a number or a flag}}
    %x = tercet.value %kind : !tercet.static<keyword>
    tercet.yield %x : f32
  }
  tercet.return %o
}

// -----

// C1: integers that cannot wrap.
tercet.spec @value_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %window = tercet.param window = 2000000000 : !tercet.runtime<i64>
  %m = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    // expected-error @+1 {{C1: window is 2000000000; an integer of regions lies in [-2^30, 2^30]}}
    %w = tercet.value %window : !tercet.runtime<i64>
    %allowed = arith.cmpi sle, %j, %w : index
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v mask(%m)
  tercet.return %o
}
