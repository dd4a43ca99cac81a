// RUN: tercet-opt %s --split-input-file --verify-diagnostics
// Ops on masks.

tkern.kernel @step_windows_c1(%i: index, %g: index, %u: index, %m: index) {
  // expected-error @+1 {{C1: has a rule that gets ('i32'), expected ('i32', 'i32')}}
  tkern.step_windows %m keys 64 at 0 rule {
  ^bb0(%first: i32):
    %all = arith.constant true
    tkern.answer %all, %all
  } body {
  ^bb0(%list: !tkern.step_list, %count: index):
  }
  tkern.end
}

// -----

tkern.kernel @step_windows_c1_answer(%i: index, %g: index, %u: index, %m: index) {
  // expected-error @+1 {{C1: has a rule without an answer of 2 i1}}
  tkern.step_windows %m keys 64 at 0 rule {
  ^bb0(%first: i32, %last: i32):
    %all = arith.constant true
    tkern.answer %all
  } body {
  ^bb0(%list: !tkern.step_list, %count: index):
  }
  tkern.end
}

// -----

tkern.kernel @step_windows_c2(%i: index, %g: index, %u: index, %m: index) {
  // expected-error @+1 {{C2: has a body that gets ('index'), expected ('!tkern.step_list', 'index')}}
  tkern.step_windows %m keys 64 at 0 rule {
  ^bb0(%first: i32, %last: i32):
    %all = arith.constant true
    tkern.answer %all, %all
  } body {
  ^bb0(%count: index):
  }
  tkern.end
}

// -----

tkern.kernel @step_windows_c3(%i: index, %g: index, %u: index, %m: index) {
  // expected-error @+1 {{C3: has a part of 1 numbers, expected the first step and the end}}
  tkern.step_windows %m part(%i) keys 64 at 0 rule {
  ^bb0(%first: i32, %last: i32):
    %all = arith.constant true
    tkern.answer %all, %all
  } body {
  ^bb0(%list: !tkern.step_list, %count: index):
  }
  tkern.end
}

// -----

tkern.kernel @vote_pairs_c1(%i: index, %g: index, %u: index) {
  %all = arith.constant true
  // expected-error @+1 {{C1: has a rule without an answer of 1 i1}}
  %allows, %forbids = tkern.vote_pairs %all, %all rows(%i, %g) cols(%i, %g) {
  ^bb0(%query: i32, %key: i32):
    tkern.answer %all, %all
  }
  tkern.end
}
