// Axial attention on a grid of frames x height x width tokens in row-major order: a query sees the keys that differ from it along
// one axis only (arXiv:1912.12180; with one axis per layer and in causal order GODIVA, arXiv:2104.14806). `along_t`, `along_y` and
// `along_x` say which axes a layer has; the number of frames follows from the tokens. Groups of tokens of equal size are a grid, too.
tercet.spec @axial(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %height = tercet.param height = 16 : !tercet.runtime<i64>
  %width = tercet.param width = 16 : !tercet.runtime<i64>
  %along_t = tercet.param along_t = false : !tercet.static<flag>
  %along_y = tercet.param along_y = true : !tercet.static<flag>
  %along_x = tercet.param along_x = true : !tercet.static<flag>
  %causal = tercet.param causal = false : !tercet.static<flag>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %rule = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %rows = tercet.value %height : !tercet.runtime<i64>
    %columns = tercet.value %width : !tercet.runtime<i64>
    %row_query = arith.divsi %i, %columns : index
    %x_query = arith.remsi %i, %columns : index
    %t_query = arith.divsi %row_query, %rows : index
    %y_query = arith.remsi %row_query, %rows : index
    %row_key = arith.divsi %j, %columns : index
    %x_key = arith.remsi %j, %columns : index
    %t_key = arith.divsi %row_key, %rows : index
    %y_key = arith.remsi %row_key, %rows : index
    %same_t = arith.cmpi eq, %t_query, %t_key : index
    %same_y = arith.cmpi eq, %y_query, %y_key : index
    %same_x = arith.cmpi eq, %x_query, %x_key : index
    %same_yx = arith.andi %same_y, %same_x : i1
    %same_tx = arith.andi %same_t, %same_x : i1
    %same_ty = arith.andi %same_t, %same_y : i1
    %has_t = tercet.value %along_t : !tercet.static<flag>
    %has_y = tercet.value %along_y : !tercet.static<flag>
    %has_x = tercet.value %along_x : !tercet.static<flag>
    %on_t = arith.andi %same_yx, %has_t : i1
    %on_y = arith.andi %same_tx, %has_y : i1
    %on_x = arith.andi %same_ty, %has_x : i1
    %on_ty = arith.ori %on_t, %on_y : i1
    %on_axis = arith.ori %on_ty, %on_x : i1
    %true = arith.constant true
    %ordered = tercet.value %causal : !tercet.static<flag>
    %past = arith.cmpi sle, %j, %i : index
    %in_order = arith.select %ordered, %past, %true : i1
    %allowed = arith.andi %on_axis, %in_order : i1
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v scale(%scale) mask(%rule)
  tercet.return %o
}
