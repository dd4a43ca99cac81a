// RUN: tercet-opt %s --split-input-file --verify-diagnostics --allow-unregistered-dialect
// spec: docs/spec.md#spec.

// C1: q, k, v come first, as tokens.
// expected-error @+1 {{C1: argument 0 is 'x' of type '!tercet.tokens'; expected 'q' of type !tercet.tokens}}
tercet.spec @spec_c1_names(%x: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %o = tercet.sparse %x, %k, %v
  tercet.return %o
}

// -----

// expected-error @+1 {{C1: argument 2 is 'v' of type '!tercet.weight'; expected 'v' of type !tercet.tokens}}
tercet.spec @spec_c1_types(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.weight) {
  %o = tercet.sparse %q, %k, %k
  tercet.return %o
}

// -----

// expected-error @+1 {{C1: has 2 arguments, expected at least q, k, v}}
tercet.spec @spec_c1_too_few(%q: !tercet.tokens, %k: !tercet.tokens) {
  %o = tercet.sparse %q, %k, %k
  tercet.return %o
}

// -----

// expected-error @+1 {{C1: argument 'x' is of type '!tercet.tokens'; arguments after q, k, v are !tercet.weight}}
tercet.spec @spec_c1_fourth(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %x: !tercet.tokens) {
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

// expected-error @+1 {{C1: argument 'w' is not used}}
tercet.spec @spec_c1_unused(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %w: !tercet.weight) {
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

// expected-error @+1 {{C1: has 3 arguments but 2 names}}
"tercet.spec"() <{sym_name = "spec_c1_count", arg_names = ["q", "k"]}> ({
^bb0(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens):
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}) : () -> ()

// -----

// C2: names are identifiers and are not given twice.
// expected-error @+1 {{C2: argument name 'lse' is taken or reserved}}
tercet.spec @spec_c2_reserved(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %lse: !tercet.weight, %b: !tercet.weight) {
  %phi = tercet.param phi = elu : !tercet.static<keyword>
  %l = tercet.linear %q, %k, %v feature_map(%phi)
  %o = tercet.project %l, %lse, %b
  tercet.return %o
}

// -----

// expected-error @+1 {{C2: argument name '0' is not an identifier}}
tercet.spec @spec_c2_argument(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %0: !tercet.weight, %b: !tercet.weight) {
  %phi = tercet.param phi = elu : !tercet.static<keyword>
  %l = tercet.linear %q, %k, %v feature_map(%phi)
  %o = tercet.project %l, %0, %b
  tercet.return %o
}

// -----

tercet.spec @spec_c2_twice(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %a = tercet.param scale = 1.0 : !tercet.runtime<f64>
  // expected-error @+1 {{spec C2: parameter name 'scale' is taken or reserved}}
  %b = tercet.param scale = 2.0 : !tercet.runtime<f64>
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @spec_c2_argument_name(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{spec C2: parameter name 'q' is taken or reserved}}
  %a = tercet.param q = 1.0 : !tercet.runtime<f64>
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @spec_c2_parameter(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{spec C2: parameter name 'two words' is not an identifier}}
  %a = tercet.param "two words" = 1.0 : !tercet.runtime<f64>
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

// C3: every class has exactly one taker.
tercet.spec @spec_c3_missing(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // expected-error @+1 {{spec C3: class 'marginal' is not covered; give it to a region or to tercet.skip}}
  %classes = tercet.select %scores keep top_fraction(%keep)
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

tercet.spec @spec_c3_negligible_with_drop(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %half = tercet.param half = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // expected-error @+1 {{spec C3: class 'negligible' is not covered}}
  %classes = tercet.select %scores keep top_fraction(%half) drop bottom_fraction(%half)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

tercet.spec @spec_c3_twice(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %phi = tercet.param phi = elu : !tercet.static<keyword>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  %exact = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.skip %classes[marginal, negligible]
  // expected-error @+1 {{spec C3: class 'marginal' is covered a second time}}
  %rest = tercet.linear %q, %k, %v on %classes[marginal] feature_map(%phi)
  %o = tercet.combine sum(%exact, %rest)
  tercet.return %o
}

// -----

// C4: one classification.
tercet.spec @spec_c4(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // expected-note @+1 {{the first one is here}}
  %classes = tercet.select %scores keep top_fraction(%keep)
  // expected-error @+1 {{spec C4: a second classification in one spec}}
  %again = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// C5: only ops of this dialect, and a return at the end.
tercet.spec @spec_c5_foreign(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{spec C5: is not an op of the tercet dialect}}
  "other.op"() : () -> ()
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @spec_c5_arith(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{spec C5: is not an op of the tercet dialect}}
  %c = arith.constant 1.0 : f64
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @spec_c5_cast(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{spec C5: is not an op of the tercet dialect}}
  %o = builtin.unrealized_conversion_cast to !tercet.branch
  tercet.return %o
}

// -----

// expected-error @+1 {{C5: ends with 'other.return', expected tercet.return}}
"tercet.spec"() <{sym_name = "spec_c5_end", arg_names = ["q", "k", "v"]}> ({
^bb0(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens):
  "other.return"() : () -> ()
}) : () -> ()

// -----

// C6: tokens keep their roles.
tercet.spec @spec_c6(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{spec C6: takes argument 'k' for its q}}
  %o = tercet.sparse %k, %k, %v
  tercet.return %o
}

// -----

tercet.spec @spec_c6_scores(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  // expected-error @+1 {{spec C6: takes argument 'v' for its k}}
  %scores = tercet.pooled_scores %q, %v blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// C7: a branch is used once.
tercet.spec @spec_c7_unused(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{spec C7: makes a branch that is not used; every branch is used once}}
  %dead = tercet.sparse %q, %k, %v
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @spec_c7_twice(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %w: !tercet.weight, %b: !tercet.weight) {
  %phi = tercet.param phi = elu : !tercet.static<keyword>
  %s = tercet.sparse %q, %k, %v
  // expected-error @+1 {{spec C7: makes a branch that is used more than once; every branch is used once}}
  %l = tercet.linear %q, %k, %v feature_map(%phi)
  %p = tercet.project %l, %w, %b
  %n = tercet.combine sum(%s, %l)
  tercet.return %p
}

// -----

// C3: a classification is not ignored.
tercet.spec @spec_c3_unused(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // expected-error @+1 {{spec C3: no region runs on these classes, which tercet.skip covers alone}}
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[critical, marginal]
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

// C8: what small query blocks leave out is skipped.
tercet.spec @spec_c8(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block_q = tercet.param block_q = 4 : !tercet.static<i64>
  %block_k = tercet.param block_k = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block_q, %block_k)
  %classes = tercet.select %scores keep top_fraction(%keep)
  %exact = tercet.sparse %q, %k, %v on %classes[critical]
  // expected-error @+1 {{spec C8: beside query blocks of 4 tokens, whose other blocks are skipped; from 16 tokens on it may stand}}
  %means = tercet.block_mean %q, %k, %v on %classes[marginal]
  %o = tercet.combine joint(%exact, %means)
  tercet.return %o
}
