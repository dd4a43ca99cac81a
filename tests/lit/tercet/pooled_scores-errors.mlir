// RUN: tercet-opt %s --split-input-file --verify-diagnostics
// pooled_scores: docs/spec.md#pooled_scores.

// C1: block sizes.
tercet.spec @pooled_scores_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block_q = tercet.param block_q = 0 : !tercet.static<i64>
  %block_k = tercet.param block_k = 64 : !tercet.static<i64>
  // expected-error @+1 {{C1: block_q is 0; a block size is a multiple of 16 from 16 to 256}}
  %scores = tercet.pooled_scores %q, %k blocks(%block_q, %block_k)
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @pooled_scores_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block_q = tercet.param block_q = 64 : !tercet.static<i64>
  %block_k = tercet.param block_k = -64 : !tercet.static<i64>
  // expected-error @+1 {{C1: block_k is -64; a block size is a multiple of 16 from 16 to 256}}
  %scores = tercet.pooled_scores %q, %k blocks(%block_q, %block_k)
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @pooled_scores_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block_q = tercet.param block_q = 72 : !tercet.static<i64>
  %block_k = tercet.param block_k = 64 : !tercet.static<i64>
  // expected-error @+1 {{C1: block_q is 72; a block size is a multiple of 16 from 16 to 256}}
  %scores = tercet.pooled_scores %q, %k blocks(%block_q, %block_k)
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @pooled_scores_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block_q = tercet.param block_q = 272 : !tercet.static<i64>
  %block_k = tercet.param block_k = 64 : !tercet.static<i64>
  // expected-error @+1 {{C1: block_q is 272; a block size is a multiple of 16 from 16 to 256}}
  %scores = tercet.pooled_scores %q, %k blocks(%block_q, %block_k)
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @pooled_scores_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block_q = tercet.param block_q = 64 : !tercet.static<i64>
  %block_k = tercet.param block_k = 9223372036854775807 : !tercet.static<i64>
  // expected-error @+1 {{C1: block_k is 9223372036854775807; a block size is a multiple of 16 from 16 to 256}}
  %scores = tercet.pooled_scores %q, %k blocks(%block_q, %block_k)
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @pooled_scores_kind(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-note @+1 {{prior use here}}
  %block = tercet.param block = 64 : !tercet.runtime<i64>
  // expected-error @+1 {{use of value '%block' expects different type than prior uses: '!tercet.static<i64>' vs '!tercet.runtime<i64>'}}
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

// C2: guard.
tercet.spec @pooled_scores_c2(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.9 : !tercet.runtime<f64>
  %guard = tercet.param guard = auto : !tercet.runtime<f64>
  // expected-error @+1 {{C2: guard is auto; give a number}}
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block) guard(%guard)
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// C1: small blocks are for queries alone.
tercet.spec @pooled_scores_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block_q = tercet.param block_q = 3 : !tercet.static<i64>
  %block_k = tercet.param block_k = 64 : !tercet.static<i64>
  // expected-error @+1 {{C1: block_q is 3; a block size is a multiple of 16 from 16 to 256, of queries also 1, 2, 4 or 8}}
  %scores = tercet.pooled_scores %q, %k blocks(%block_q, %block_k)
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @pooled_scores_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block_q = tercet.param block_q = 1 : !tercet.static<i64>
  %block_k = tercet.param block_k = 8 : !tercet.static<i64>
  // expected-error @+1 {{C1: block_k is 8; a block size is a multiple of 16 from 16 to 256}}
  %scores = tercet.pooled_scores %q, %k blocks(%block_q, %block_k)
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}
