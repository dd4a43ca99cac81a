tercet.spec @shifted(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %m = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %c-1 = arith.constant -1 : index
    %last = arith.addi %i, %c-1 : index
    %allowed = arith.cmpi sle, %j, %last : index
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v mask(%m)
  tercet.return %o
}
