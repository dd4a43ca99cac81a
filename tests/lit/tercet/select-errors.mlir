// RUN: tercet-opt %s --split-input-file --verify-diagnostics
// select: docs/spec.md#select.

// C1: fractions and counts.
tercet.spec @select_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 1.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // expected-error @+1 {{C1: keep is 1.5; a fraction lies in [0, 1]}}
  %classes = tercet.select %scores keep top_fraction(%keep)
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @select_c1_a(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = -0.1 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // expected-error @+1 {{C1: keep is -0.1; a fraction lies in [0, 1]}}
  %classes = tercet.select %scores keep top_fraction(%keep)
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @select_c1_b(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 2.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // expected-error @+1 {{C1: keep is 2.5; a count is an integer >= 0}}
  %classes = tercet.select %scores keep top_count(%keep)
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @select_c1_c(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = -1 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // expected-error @+1 {{C1: keep is -1; a count is an integer >= 0}}
  %classes = tercet.select %scores keep top_count(%keep)
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @select_c1_d(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = auto : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // expected-error @+1 {{C1: keep is auto; give a number}}
  %classes = tercet.select %scores keep top_fraction(%keep)
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @select_c1_e(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %drop = tercet.param drop = 2.0 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // expected-error @+1 {{C1: drop is 2; a fraction lies in [0, 1]}}
  %classes = tercet.select %scores keep top_fraction(%keep) drop bottom_fraction(%drop)
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @select_c1_f(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %drop = tercet.param drop = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // expected-error @+1 {{C1: drop is 0.5; a count is an integer >= 0}}
  %classes = tercet.select %scores keep top_fraction(%keep) drop bottom_count(%drop)
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @select_c1_g(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %drop = tercet.param drop = auto : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // expected-error @+1 {{C1: drop is auto; give a number}}
  %classes = tercet.select %scores keep top_fraction(%keep) drop bottom_count(%drop)
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @select_c1_unit(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // expected-error @+1 {{C1: needs a drop amount and its unit together, or neither}}
  %classes = "tercet.select"(%scores, %keep, %keep) <{keep_unit = 0 : i32, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>}>
      : (!tercet.scores, !tercet.runtime<f64>, !tercet.runtime<f64>) -> !tercet.classes
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

// C2: two fractions share one row of blocks.
tercet.spec @select_c2(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %drop = tercet.param drop = 0.6 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // expected-error @+1 {{C2: keep (0.5) + drop (0.6) is more than 1}}
  %classes = tercet.select %scores keep top_fraction(%keep) drop bottom_fraction(%drop)
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

// C3: count rules.
tercet.spec @select_c3(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %rule = tercet.param rule = truncate : !tercet.static<keyword>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // expected-error @+1 {{C3: rule is 'truncate'; expected floor, ceil or round}}
  %classes = tercet.select %scores keep top_fraction(%keep) count(%rule)
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

// C4: whole numbers.
tercet.spec @select_c4(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %min = tercet.param min_keep = -1 : !tercet.runtime<i64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // expected-error @+1 {{C4: min_keep is -1; expected >= 0}}
  %classes = tercet.select %scores keep top_fraction(%keep) min_keep(%min)
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

tercet.spec @select_c4_a(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %sink = tercet.param sink = -2 : !tercet.runtime<i64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // expected-error @+1 {{C4: sink is -2; expected >= 0}}
  %classes = tercet.select %scores keep top_fraction(%keep) sink(%sink)
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

// Unknown units are parse errors.
tercet.spec @select(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // expected-error @+1 {{expected string or keyword containing one of the following enum values for attribute 'keep_unit' [top_fraction, top_count, top_mass, above, relative, percentile, within_mass]}}
  %classes = tercet.select %scores keep top_share(%keep)
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}

// -----

// C5: scope.
tercet.spec @select_c5(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.9 : !tercet.runtime<f64>
  %scope = tercet.param scope = column : !tercet.static<keyword>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // expected-error @+1 {{C5: scope is 'column'; expected row, head, all_heads or group}}
  %classes = tercet.select %scores keep top_fraction(%keep) scope(%scope)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// C6: budgets.
tercet.spec @select_c6(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %amounts: !tercet.table<[head], i32>) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.9 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // expected-error @+1 {{C6: budgets is '!tercet.table<[head], i32>'; expected an argument of type table<[head], f32>}}
  %classes = tercet.select %scores keep top_fraction(%keep) budgets(%amounts : !tercet.table<[head], i32>)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// C7: sets with the blocks of the scores.
tercet.spec @select_c7(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.9 : !tercet.runtime<f64>
  %large = tercet.param large = 128 : !tercet.static<i64>
  %set = tercet.block_set blocks(%large, %block) {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %member = arith.cmpi eq, %j, %i : index
    tercet.yield %member : i1
  }
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // expected-error @+1 {{C7: forced has blocks 128 x 64, the scores have 64 x 64}}
  %classes = tercet.select %scores keep top_fraction(%keep) forced(%set)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// C8: a mean over heads has one P for all of its blocks.
tercet.spec @select_c8(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.9 : !tercet.runtime<f64>
  %apart = tercet.param apart = true : !tercet.static<flag>
  %scope = tercet.param scope = group : !tercet.static<keyword>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // expected-error @+1 {{C8: apart is true under the scope group, whose P is a mean over heads}}
  %classes = tercet.select %scores keep top_mass(%keep) apart(%apart) scope(%scope)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}
