tercet.spec @early(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %o = tercet.sparse %q, %k, %v mask(%x)
  %m = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %x = %
    tercet.yield %x : i1
  }
  tercet.return %o
}
