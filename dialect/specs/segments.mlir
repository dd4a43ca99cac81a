// A table of segments: which segments of keys the tokens of a segment of queries see. Modalities, shots, views, object masks, groups
// and templates of prompts are such tables (Mask2DiT, arXiv:2503.19881; SAISA, arXiv:2502.02458; BlindSight, arXiv:2507.09071).
// `sees` holds, per head, query segment and key segment: 0 nothing, 2 the keys up to the query's own position, otherwise all.
tercet.spec @segments(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens,
                      %query_segment: !tercet.table<[batch, query], i32>, %key_segment: !tercet.table<[batch, key], i32>,
                      %sees: !tercet.table<[head, any, any], i32>) {
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %rule = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %zero = arith.constant 0 : index
    %two = arith.constant 2 : index
    %mine = tercet.read %query_segment[%b, %i] : !tercet.table<[batch, query], i32>
    %theirs = tercet.read %key_segment[%b, %j] : !tercet.table<[batch, key], i32>
    %entry = tercet.read %sees[%h, %mine, %theirs] : !tercet.table<[head, any, any], i32>
    %something = arith.cmpi ne, %entry, %zero : index
    %whole = arith.cmpi ne, %entry, %two : index
    %past = arith.cmpi sle, %j, %i : index
    %in_order = arith.ori %whole, %past : i1
    %allowed = arith.andi %something, %in_order : i1
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v scale(%scale) mask(%rule)
  tercet.return %o
}
