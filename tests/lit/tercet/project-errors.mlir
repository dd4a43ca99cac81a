// RUN: tercet-opt %s --split-input-file --verify-diagnostics
// project: docs/spec.md#project.

// C1: only a linear branch is projected.
tercet.spec @project_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %w: !tercet.weight, %b: !tercet.weight) {
  %s = tercet.sparse %q, %k, %v
  // expected-error @+1 {{C1: projects a branch that tercet.linear did not make}}
  %o = tercet.project %s, %w, %b
  tercet.return %o
}

// -----

tercet.spec @project_c1_argument(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %x: !tercet.branch, %w: !tercet.weight, %b: !tercet.weight) {
  // expected-error @+1 {{C1: projects a branch that tercet.linear did not make}}
  %o = tercet.project %x, %w, %b
  tercet.return %o
}

// -----

// C2: w and b belong to one projection.
tercet.spec @project_c2(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %w: !tercet.weight) {
  %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
  %l = tercet.linear %q, %k, %v feature_map(%phi)
  // expected-error @+1 {{C2: w and b must be arguments of the spec that nothing else uses}}
  %o = tercet.project %l, %w, %w
  tercet.return %o
}
