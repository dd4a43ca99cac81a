// RUN: tercet-opt %s --split-input-file --verify-diagnostics
// block_mean: docs/spec.md#block_mean.

// C1: marginal blocks.
tercet.spec @block_mean_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  %exact = tercet.sparse %q, %k, %v on %classes[critical]
  // expected-error @+1 {{C1: runs on [marginal, negligible]; expected [marginal]}}
  %means = tercet.block_mean %q, %k, %v on %classes[marginal, negligible]
  %o = tercet.combine joint(%exact, %means)
  tercet.return %o
}

// -----

// C2: a positive scale.
tercet.spec @block_mean_c2(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %scale = tercet.param scale = -0.5 : !tercet.runtime<f64>
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  %exact = tercet.sparse %q, %k, %v on %classes[critical]
  // expected-error @+1 {{C2: scale is -0.5; expected > 0}}
  %means = tercet.block_mean %q, %k, %v on %classes[marginal] scale(%scale)
  %o = tercet.combine joint(%exact, %means)
  tercet.return %o
}
