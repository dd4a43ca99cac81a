// Axial attention on a grid of rows x `width` tokens: a query sees its row and its column (arXiv:1912.12180), up to its own position
// where `causal` says so (the factors of GODIVA, arXiv:2104.14806).
tercet.spec @axial(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %width = tercet.param width = 64 : !tercet.runtime<i64>
  %causal = tercet.param causal = false : !tercet.static<flag>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %rule = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %columns = tercet.value %width : !tercet.runtime<i64>
    %true = arith.constant true
    %y_query = arith.divsi %i, %columns : index
    %x_query = arith.remsi %i, %columns : index
    %y_key = arith.divsi %j, %columns : index
    %x_key = arith.remsi %j, %columns : index
    %same_row = arith.cmpi eq, %y_query, %y_key : index
    %same_column = arith.cmpi eq, %x_query, %x_key : index
    %on_axis = arith.ori %same_row, %same_column : i1
    %ordered = tercet.value %causal : !tercet.static<flag>
    %past = arith.cmpi sle, %j, %i : index
    %in_order = arith.select %ordered, %past, %true : i1
    %allowed = arith.andi %on_axis, %in_order : i1
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v scale(%scale) mask(%rule)
  tercet.return %o
}
