// RUN: tercet-opt %s --split-input-file --verify-diagnostics
// param: docs/spec.md#param.

// C1: the value is of the type's kind.
tercet.spec @param(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{expected an integer value}}
  %p = tercet.param x = 0.5 : !tercet.runtime<i64>
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @param(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{expected an integer value}}
  %p = tercet.param x = -0.5 : !tercet.static<i64>
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @param_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{C1: 'x' has the value "softmax", which is not of type '!tercet.runtime<f64>'}}
  %p = tercet.param x = softmax : !tercet.runtime<f64>
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @param_c1_a(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{C1: 'x' has the value true, which is not of type '!tercet.static<i64>'}}
  %p = tercet.param x = true : !tercet.static<i64>
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @param_c1_b(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{C1: 'x' has the value 1 : i64, which is not of type '!tercet.static<flag>'}}
  %p = tercet.param x = 1 : !tercet.static<flag>
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @param_c1_c(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{C1: 'x' has the value 3 : i64, which is not of type '!tercet.static<keyword>'}}
  %p = tercet.param x = 3 : !tercet.static<keyword>
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @param_c1_d(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{C1: 'x' is inf; expected a finite number}}
  %p = tercet.param x = 1.0e400 : !tercet.runtime<f64>
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @param_c1_e(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{C1: 'x' is -inf; expected a finite number}}
  %p = tercet.param x = -1.0e400 : !tercet.runtime<f64>
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @param(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{integer value too large}}
  %p = tercet.param x = 99999999999999999999 : !tercet.runtime<i64>
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @param(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{result #0 must be a parameter bound at compile time: another value is another kernel or a parameter bound at launch: another value never compiles, but got 'f64'}}
  %p = tercet.param x = 1 : f64
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

// The generic syntax can hold any attribute.
tercet.spec @param_c1_width(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{C1: 'x' has the value 5 : i128, which is not of type '!tercet.static<i64>'}}
  %p = "tercet.param"() <{name = "x", value = 5 : i128}> : () -> !tercet.static<i64>
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @param_c1_single(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{which is not of type '!tercet.runtime<f64>'}}
  %p = "tercet.param"() <{name = "x", value = 5.0 : f32}> : () -> !tercet.runtime<f64>
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @param_c1_keyword(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{C1: 'x' is "two words", which is not a keyword}}
  %p = "tercet.param"() <{name = "x", value = "two words"}> : () -> !tercet.static<keyword>
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @param_c1_word(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{C1: 'x' is "true", which is not a keyword}}
  %p = "tercet.param"() <{name = "x", value = "true"}> : () -> !tercet.static<keyword>
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

// Names and values are syntax, not attributes.
tercet.spec @param_attributes(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{attribute 'value' is part of the syntax}}
  %p = tercet.param x = 1.0 {value = 2.0} : !tercet.runtime<f64>
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @param_c1_flag(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{C1: 'x' is of type '!tercet.runtime<flag>'; a runtime parameter is a number, f64 or i64}}
  %p = tercet.param x = true : !tercet.runtime<flag>
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @param_c1_keyword(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{C1: 'x' is of type '!tercet.runtime<keyword>'; a runtime parameter is a number, f64 or i64}}
  %p = tercet.param x = relu : !tercet.runtime<keyword>
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

// C2: auto is for runtime floats.
tercet.spec @param_c2(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{C2: 'x' is auto, which only a !tercet.runtime<f64> can be, not '!tercet.runtime<i64>'}}
  %p = tercet.param x = auto : !tercet.runtime<i64>
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @param_c2_a(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{C2: 'x' is auto, which only a !tercet.runtime<f64> can be, not '!tercet.static<f64>'}}
  %p = tercet.param x = auto : !tercet.static<f64>
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

// C3: parameter operands come from tercet.param.
tercet.spec @param_c3_argument(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %s: !tercet.runtime<f64>) {
  // expected-error @+1 {{param C3: operand 3 is of type '!tercet.runtime<f64>' but does not come from tercet.param}}
  %o = tercet.sparse %q, %k, %v scale(%s)
  tercet.return %o
}

// -----

tercet.spec @param_c3_linear(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %phi: !tercet.static<keyword>) {
  // expected-error @+1 {{param C3: operand 3 is of type '!tercet.static<keyword>' but does not come from tercet.param}}
  %o = tercet.linear %q, %k, %v feature_map(%phi)
  tercet.return %o
}

// -----

tercet.spec @param_c3_blocks(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %block: !tercet.static<i64>) {
  // expected-error @+1 {{param C3: operand 2}}
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @param_c3_select(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %keep: !tercet.runtime<f64>) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // expected-error @+1 {{param C3: operand 1}}
  %classes = tercet.select %scores keep top_fraction(%keep)
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @param_c3_means(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %scale: !tercet.runtime<f64>) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  %exact = tercet.sparse %q, %k, %v on %classes[critical]
  // expected-error @+1 {{param C3: operand 4}}
  %means = tercet.block_mean %q, %k, %v on %classes[marginal] scale(%scale)
  %o = tercet.combine joint(%exact, %means)
  tercet.return %o
}

// -----

// A user that stands before its parameter meets it unverified.
tercet.spec @param_forward(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %o = tercet.sparse %q, %k, %v scale(%s)
  // expected-error @+1 {{C1: 'scale' has the value "text", which is not of type '!tercet.runtime<f64>'}}
  %s = "tercet.param"() <{name = "scale", value = "text"}> : () -> !tercet.runtime<f64>
  tercet.return %o
}
