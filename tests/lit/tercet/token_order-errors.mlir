// RUN: tercet-opt %s --split-input-file --verify-diagnostics
// token_order: docs/spec.md#token_order.

// C1: as many axes of the grid as of the tile.
tercet.spec @token_order_c1_axes(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %width = tercet.param width = 8 : !tercet.runtime<i64>
  %side = tercet.param side = 8 : !tercet.static<i64>
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
  // expected-error @+1 {{C1: the grid has 2 axes and the tile 1; expected 1 to 3, the same number of both}}
  tercet.token_order grid(%width, %width) tile(%side)
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// At most three.
tercet.spec @token_order_c1_many(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %width = tercet.param width = 8 : !tercet.runtime<i64>
  %side = tercet.param side = 8 : !tercet.static<i64>
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
  // expected-error @+1 {{C1: the grid has 4 axes and the tile 4}}
  tercet.token_order grid(%width, %width, %width, %width) tile(%side, %side, %side, %side)
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// At least one.
tercet.spec @token_order_c1_none(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
  // expected-error @+1 {{C1: the grid has 0 axes and the tile 0}}
  tercet.token_order grid() tile()
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// C2: sizes of the grid.
tercet.spec @token_order_c2_low(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %width = tercet.param width = 0 : !tercet.runtime<i64>
  %side = tercet.param side = 8 : !tercet.static<i64>
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
  // expected-error @+1 {{C2: width is 0; expected from 1 to 1048576}}
  tercet.token_order grid(%width, %width) tile(%side, %side)
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// What three of them hold fits 64 bits.
tercet.spec @token_order_c2_high(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %width = tercet.param width = 1048577 : !tercet.runtime<i64>
  %side = tercet.param side = 8 : !tercet.static<i64>
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
  // expected-error @+1 {{C2: width is 1048577; expected from 1 to 1048576}}
  tercet.token_order grid(%width, %width) tile(%side, %side)
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// C3: sizes of the tile.
tercet.spec @token_order_c3_size(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %width = tercet.param width = 8 : !tercet.runtime<i64>
  %side = tercet.param side = 8 : !tercet.static<i64>
  %none = tercet.param none = 0 : !tercet.static<i64>
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
  // expected-error @+1 {{C3: none is 0; expected at least 1}}
  tercet.token_order grid(%width, %width) tile(%side, %none)
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// A tile is a block.
tercet.spec @token_order_c3_product(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %width = tercet.param width = 8 : !tercet.runtime<i64>
  %side = tercet.param side = 4 : !tercet.static<i64>
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
  // expected-error @+1 {{C3: a tile holds 16 tokens; the blocks of the classification are 64 x 64}}
  tercet.token_order grid(%width, %width) tile(%side, %side)
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// Products that 64 bits do not hold are no blocks either.
tercet.spec @token_order_c3_overflow(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %width = tercet.param width = 8 : !tercet.runtime<i64>
  %side = tercet.param side = 4611686018427387904 : !tercet.static<i64>
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
  // expected-error @+1 {{C3: a tile holds 1048576 tokens; the blocks of the classification are 64 x 64}}
  tercet.token_order grid(%width, %width) tile(%side, %side)
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// C4: one order.
tercet.spec @token_order_c4_twice(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %width = tercet.param width = 8 : !tercet.runtime<i64>
  %side = tercet.param side = 8 : !tercet.static<i64>
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
  // expected-note @+1 {{the first one is here}}
  tercet.token_order grid(%width, %width) tile(%side, %side)
  // expected-error @+1 {{C4: a second token order in one spec}}
  tercet.token_order grid(%width, %width) tile(%side, %side)
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// An order is one of blocks.
tercet.spec @token_order_c4_blocks(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %width = tercet.param width = 8 : !tercet.runtime<i64>
  %side = tercet.param side = 8 : !tercet.static<i64>
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
  // expected-error @+1 {{C4: the spec does not classify, so it has no blocks to order}}
  tercet.token_order grid(%width, %width) tile(%side, %side)
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

// Text lies before the grid or behind it.
tercet.spec @token_order_text(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %width = tercet.param width = 8 : !tercet.runtime<i64>
  %side = tercet.param side = 8 : !tercet.static<i64>
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
  // expected-error @+1 {{expected string or keyword containing one of the following enum values}}
  tercet.token_order grid(%width, %width) tile(%side, %side) text(around)
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}
