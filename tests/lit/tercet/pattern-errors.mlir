// RUN: tercet-opt %s --split-input-file --verify-diagnostics
// pattern: docs/spec.md#pattern.

// C1: the set.
tercet.spec @pattern_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %set = builtin.unrealized_conversion_cast to !tercet.block_set
  // expected-error @+1 {{C1: set does not come from tercet.block_set}}
  %classes = tercet.pattern %set
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}
