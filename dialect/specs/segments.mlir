// A table of segments: a query token sees a key token where the table allows their segments. Modalities, shots, views, object
// masks, groups and prefixes are such tables (Mask2DiT, arXiv:2503.19881; the video and text cases of docs/coverage.md).
// `allowed` holds 1 or 0 per (query segment, key segment).
tercet.spec @segments(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens,
                      %query_segment: !tercet.table<[batch, query], i32>, %key_segment: !tercet.table<[batch, key], i32>,
                      %allowed: !tercet.table<[any, any], i32>) {
  %causal = tercet.param causal = false : !tercet.static<flag>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %rule = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %zero = arith.constant 0 : index
    %true = arith.constant true
    %mine = tercet.read %query_segment[%b, %i] : !tercet.table<[batch, query], i32>
    %theirs = tercet.read %key_segment[%b, %j] : !tercet.table<[batch, key], i32>
    %entry = tercet.read %allowed[%mine, %theirs] : !tercet.table<[any, any], i32>
    %sees = arith.cmpi ne, %entry, %zero : index
    %ordered = tercet.value %causal : !tercet.static<flag>
    %past = arith.cmpi sle, %j, %i : index
    %in_order = arith.select %ordered, %past, %true : i1
    %pair = arith.andi %sees, %in_order : i1
    tercet.yield %pair : i1
  }
  %o = tercet.sparse %q, %k, %v scale(%scale) mask(%rule)
  tercet.return %o
}
