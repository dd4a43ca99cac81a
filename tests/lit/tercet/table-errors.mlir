// RUN: tercet-opt %s --split-input-file --verify-diagnostics
// table: docs/spec.md#table.

// C1: one index per axis.
tercet.spec @read_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %bias: !tercet.table<[head, key], f32>) {
  %o = tercet.sparse %q, %k, %v score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    // expected-error @+1 {{C1: has 1 indices for a table of 2 axes}}
    %x = tercet.read %bias[%h] : !tercet.table<[head, key], f32>
    %sum = arith.addf %s, %x : f32
    tercet.yield %sum : f32
  }
  tercet.return %o
}

// -----

// The type: axes and elements.
// expected-error @+1 {{unknown axis 'row'; axes are batch, head, kv_head, query, key, query_block, key_block, feature, any and numbers}}
tercet.spec @axis(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %bias: !tercet.table<[row], f32>) {
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

// expected-error @+1 {{the size of an axis is at least 1}}
tercet.spec @axis(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %bias: !tercet.table<[0], f32>) {
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

// expected-error @+1 {{a table holds 'f64'; expected f32 or i32}}
tercet.spec @element(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %bias: !tercet.table<[head], f64>) {
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

// C2: an argument.
tercet.spec @read_c2(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %made = builtin.unrealized_conversion_cast to !tercet.table<[head], f32>
  %o = tercet.sparse %q, %k, %v score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    // expected-error @+1 {{C2: reads a table that is not an argument of the spec}}
    %x = tercet.read %made[%h] : !tercet.table<[head], f32>
    tercet.yield %x : f32
  }
  tercet.return %o
}
