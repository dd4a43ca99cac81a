// RUN: tercet-opt %s --split-input-file --verify-diagnostics --allow-unregistered-dialect
// Programs that break the frame itself are refused with a sentence, whatever the syntax they arrive in.

// expected-error @+1 {{expects a non-empty block}}
tercet.spec @empty_body(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
}

// -----

// expected-error @+1 {{region #0 ('body') failed to verify constraint: region with 1 blocks}}
"tercet.spec"() <{sym_name = "no_block", arg_names = []}> ({
}) : () -> ()

// -----

// expected-error @+1 {{requires one region}}
"tercet.spec"() <{sym_name = "no_region", arg_names = []}> : () -> ()

// -----

// expected-error @+1 {{requires attribute 'arg_names'}}
"tercet.spec"() <{sym_name = "no_names"}> ({
^bb0(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens):
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}) : () -> ()

// -----

tercet.spec @no_terminator(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{block with no terminator}}
  %o = tercet.sparse %q, %k, %v
}

// -----

// expected-error @+1 {{expects region #0 to have 0 or 1 blocks}}
tercet.spec @two_blocks(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
^bb1:
  tercet.return %o
}

// -----

// expected-error @+1 {{attribute 'arg_names' is part of the syntax}}
tercet.spec @names_twice(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) attributes {arg_names = ["a"]} {
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @outer(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{expects parent op 'builtin.module'}}
  tercet.spec @inner(%q2: !tercet.tokens, %k2: !tercet.tokens, %v2: !tercet.tokens) {
    %o = tercet.sparse %q2, %k2, %v2
    tercet.return %o
  }
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

%t = "other.tokens"() : () -> !tercet.tokens
// expected-error @+1 {{expects parent op 'tercet.spec'}}
%o = tercet.sparse %t, %t, %t

// -----

// expected-error @+1 {{expects parent op 'tercet.spec'}}
%p = tercet.param x = 1.0 : !tercet.runtime<f64>

// -----

// A name taken twice in a module.
// expected-note @+1 {{see existing symbol definition here}}
tercet.spec @same(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}
// expected-error @+1 {{redefinition of symbol named 'same'}}
tercet.spec @same(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

// Values that only look like this dialect's.
tercet.spec @foreign_values(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  // expected-error @+1 {{spec C5: is not an op of the tercet dialect}}
  %classes = "other.classes"() : () -> !tercet.classes
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

tercet.spec @lying_segments(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{operand count (3) does not match with the total size (9) specified in attribute 'operandSegmentSizes'}}
  %o = "tercet.sparse"(%q, %k, %v) <{operandSegmentSizes = array<i32: 1, 1, 7, 0, 0, 0>}> ({})
      : (!tercet.tokens, !tercet.tokens, !tercet.tokens) -> !tercet.branch
  tercet.return %o
}

// -----

tercet.spec @wrong_kind(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %keep = tercet.param keep = 3 : !tercet.runtime<i64>
  // expected-error @+1 {{operand #3 must be runtime float parameter, but got '!tercet.runtime<i64>'}}
  %o = "tercet.sparse"(%q, %k, %v, %keep) <{operandSegmentSizes = array<i32: 1, 1, 1, 0, 1, 0>}> ({})
      : (!tercet.tokens, !tercet.tokens, !tercet.tokens, !tercet.runtime<i64>) -> !tercet.branch
  tercet.return %o
}

// -----

tercet.spec @unknown_type(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @below {{expected ::tercet::ir::ParamKind to be one of: f64, i64, keyword, flag}}
  // expected-error @below {{failed to parse Tercet_Static parameter 'kind'}}
  %keep = tercet.param keep = 3 : !tercet.static<f32>
}
