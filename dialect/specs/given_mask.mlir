// A mask handed in as a tensor: a pair takes part where `mask` holds something else than 0. Any of its axes may be 1: a mask per key,
// per head, or for all. For masks that no rule gives: epipolar lines (SPAD, arXiv:2402.05235), parts of images, objects, regions of a
// prompt, maps kept from earlier calls (DAM, arXiv:2506.11104). Where blocks are what is known, hand in `classes` instead.
tercet.spec @given_mask(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens,
                        %mask: !tercet.table<[batch, head, query, key], i32>) {
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %rule = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %zero = arith.constant 0 : index
    %entry = tercet.read %mask[%b, %h, %i, %j] : !tercet.table<[batch, head, query, key], i32>
    %allowed = arith.cmpi ne, %entry, %zero : index
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v scale(%scale) mask(%rule)
  tercet.return %o
}
