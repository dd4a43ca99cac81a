// RUN: tercet-opt %s --split-input-file --verify-diagnostics
// gate: docs/spec.md#gate.

// C1: what can be gated.
tercet.spec @gate_c1_sum(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %a = tercet.sparse %q, %k, %v
  %x = tercet.sparse %q, %k, %v
  %s = tercet.combine sum(%a, %x)
  // expected-error @+1 {{C1: gates a branch that sparse, compressed, linear, project or combine joint did not make}}
  %o = tercet.gate %s {
  ^bb0(%b: index, %h: index, %i: index, %e: index):
    %half = arith.constant 0.5 : f32
    tercet.yield %half : f32
  }
  tercet.return %o
}

// -----

tercet.spec @gate_c1_gate(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %a = tercet.sparse %q, %k, %v
  %s = tercet.gate %a {
  ^bb0(%b: index, %h: index, %i: index, %e: index):
    %half = arith.constant 0.5 : f32
    tercet.yield %half : f32
  }
  // expected-error @+1 {{C1: gates a branch}}
  %o = tercet.gate %s {
  ^bb0(%b: index, %h: index, %i: index, %e: index):
    %half = arith.constant 0.5 : f32
    tercet.yield %half : f32
  }
  tercet.return %o
}

// -----

// C2: its region.
tercet.spec @gate_c2_arguments(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %a = tercet.sparse %q, %k, %v
  // expected-error @+1 {{C2: the region gets ('index'); expected ('index', 'index', 'index', 'index')}}
  %o = tercet.gate %a {
  ^bb0(%i: index):
    %half = arith.constant 0.5 : f32
    tercet.yield %half : f32
  }
  tercet.return %o
}

// -----

tercet.spec @gate_c2_yield(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %a = tercet.sparse %q, %k, %v
  %o = tercet.gate %a {
  ^bb0(%b: index, %h: index, %i: index, %e: index):
    %yes = arith.constant true
    // expected-error @+1 {{C2: yields 'i1'; expected 'f32'}}
    tercet.yield %yes : i1
  }
  tercet.return %o
}

// -----

// C3: its ops.
tercet.spec @gate_c3(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %a = tercet.sparse %q, %k, %v
  %o = tercet.gate %a {
  ^bb0(%b: index, %h: index, %i: index, %e: index):
    %x = arith.constant 0.5 : f32
    // expected-error @+1 {{C3: is not an op of regions}}
    %y = math.sin %x : f32
    tercet.yield %y : f32
  }
  tercet.return %o
}
