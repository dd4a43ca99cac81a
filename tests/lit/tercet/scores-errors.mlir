// RUN: tercet-opt %s --split-input-file --verify-diagnostics
// sampled_scores, given_scores: docs/spec.md#sampled_scores, #given_scores.

// C2: stride.
tercet.spec @sampled_scores_c2(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %stride = tercet.param stride = 6 : !tercet.static<i64>
  %mass = tercet.param mass = 0.9 : !tercet.runtime<f64>
  // expected-error @+1 {{C2: stride is 6; expected 2, 4, 8 or 16}}
  %scores = tercet.sampled_scores %q, %k blocks(%block, %block) stride(%stride)
  %classes = tercet.select %scores keep top_mass(%mass)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// C2: table.
tercet.spec @given_scores_c2(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %gate: !tercet.table<[batch, head], f32>) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.9 : !tercet.runtime<f64>
  // expected-error @+1 {{C2: table is '!tercet.table<[batch, head], f32>'; expected an argument of type table<[batch, head, query_block, key_block], f32>}}
  %scores = tercet.given_scores %gate blocks(%block, %block) : !tercet.table<[batch, head], f32>
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// C1: blocks.
tercet.spec @sampled_scores_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 8 : !tercet.static<i64>
  %stride = tercet.param stride = 8 : !tercet.static<i64>
  %mass = tercet.param mass = 0.9 : !tercet.runtime<f64>
  // expected-error @+1 {{C1: block is 8; a block size is a multiple of 16 from 16 to 256}}
  %scores = tercet.sampled_scores %q, %k blocks(%block, %block) stride(%stride)
  %classes = tercet.select %scores keep top_mass(%mass)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

tercet.spec @given_scores_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %gate: !tercet.table<[batch, head, query_block, key_block], f32>) {
  %block = tercet.param block = 8 : !tercet.static<i64>
  %keep = tercet.param keep = 0.9 : !tercet.runtime<f64>
  // expected-error @+1 {{C1: block is 8; a block size is a multiple of 16 from 16 to 256}}
  %scores = tercet.given_scores %gate blocks(%block, %block) : !tercet.table<[batch, head, query_block, key_block], f32>
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}
