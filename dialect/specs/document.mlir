// Packed documents: tokens see the tokens of their own document, up to their own position unless `causal` is false (the document
// mask of FlexAttention, arXiv:2412.05496; sequence packing as in T5, arXiv:1910.10683). Ids are any integers per token.
tercet.spec @document(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens,
                      %query_document: !tercet.table<[batch, query], i32>, %key_document: !tercet.table<[batch, key], i32>) {
  %causal = tercet.param causal = true : !tercet.static<flag>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %same = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %mine = tercet.read %query_document[%b, %i] : !tercet.table<[batch, query], i32>
    %theirs = tercet.read %key_document[%b, %j] : !tercet.table<[batch, key], i32>
    %together = arith.cmpi eq, %mine, %theirs : index
    %ordered = tercet.value %causal : !tercet.static<flag>
    %true = arith.constant true
    %past = arith.cmpi sle, %j, %i : index
    %in_order = arith.select %ordered, %past, %true : i1
    %allowed = arith.andi %together, %in_order : i1
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v scale(%scale) mask(%same)
  tercet.return %o
}
