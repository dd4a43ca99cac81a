// CLEAR: a query sees the keys within a circle of `radius` on the grid of latents; text tokens behind the grid see and are seen by
// everything (arXiv:2412.16112). Tokens 0 .. height * width - 1 are the grid in row-major order.
tercet.spec @clear(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %height = tercet.param height = 16 : !tercet.runtime<i64>
  %width = tercet.param width = 16 : !tercet.runtime<i64>
  %radius = tercet.param radius = 8 : !tercet.runtime<i64>
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %circle = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %rows = tercet.value %height : !tercet.runtime<i64>
    %columns = tercet.value %width : !tercet.runtime<i64>
    %r = tercet.value %radius : !tercet.runtime<i64>
    %grid = arith.muli %rows, %columns : index
    %last = arith.maxsi %i, %j : index
    %is_text = arith.cmpi sge, %last, %grid : index
    %y_query = arith.divsi %i, %columns : index
    %x_query = arith.remsi %i, %columns : index
    %y_key = arith.divsi %j, %columns : index
    %x_key = arith.remsi %j, %columns : index
    %dy = arith.subi %y_query, %y_key : index
    %dx = arith.subi %x_query, %x_key : index
    %dy2 = arith.muli %dy, %dy : index
    %dx2 = arith.muli %dx, %dx : index
    %distance2 = arith.addi %dy2, %dx2 : index
    %r2 = arith.muli %r, %r : index
    %is_near = arith.cmpi slt, %distance2, %r2 : index
    %allowed = arith.ori %is_text, %is_near : i1
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v scale(%scale) mask(%circle)
  tercet.return %o
}
