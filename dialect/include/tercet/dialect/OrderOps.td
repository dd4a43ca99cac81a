// token_order: tokens of a grid in tiles, so that a block is a cube of neighbours.
#ifndef TERCET_ORDER_OPS_TD
#define TERCET_ORDER_OPS_TD

include "tercet/dialect/TercetDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tercet_TokenOrderOp : Tercet_Op<"token_order", [InSpec, AttrSizedOperandSegments]> {
  let summary = "tokens lie on a grid, and the blocks of the classification are its tiles";
  let description = [{
    The grid's tokens, in row-major order, are cut into tiles. A block is a tile, clipped at the edge of the grid, where it holds
    fewer tokens. `text` says where tokens lie that are not of the grid; they have blocks of their own. Regions over pairs see
    tokens at their places in the tensors, block sets see blocks by number, and outputs come in the order of the tensors. See
    docs/spec.md#token_order.

    | label | applies to     | rule                                                                             |
    |-------|----------------|----------------------------------------------------------------------------------|
    | C1    | `grid`, `tile` | 1 to 3 axes, the same number of both                                             |
    | C2    | `grid`         | sizes from 1 to 1048576                                                          |
    | C3    | `tile`         | sizes of at least 1, whose product is the block size of queries and of keys      |
    | C4    | `grid`         | one order per spec, in a spec that classifies                                     |

    Example: the best tenth of cubes of 4 x 4 x 4 tokens of a video, with text behind it.
    ```mlir
    tercet.spec @cubes(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
      %frames = tercet.param frames = 8 : !tercet.runtime<i64>
      %height = tercet.param height = 12 : !tercet.runtime<i64>
      %width = tercet.param width = 12 : !tercet.runtime<i64>
      %side = tercet.param side = 4 : !tercet.static<i64>
      %block = tercet.param block = 64 : !tercet.static<i64>
      %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
      tercet.token_order grid(%frames, %height, %width) tile(%side, %side, %side) text(suffix)
      %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
      %classes = tercet.select %scores keep top_fraction(%keep)
      tercet.skip %classes[marginal]
      %o = tercet.sparse %q, %k, %v on %classes[critical]
      tercet.return %o
    }
    ```
  }];
  let arguments = (ins Variadic<Tercet_RuntimeInteger>:$grid /*C1, C2, C4*/, Variadic<Tercet_StaticInteger>:$tile /*C1, C3*/,
                       OptionalAttr<Tercet_TextPlace>:$text);
  let assemblyFormat = "`grid` `(` $grid `)` `tile` `(` $tile `)` (`text` `(` $text^ `)`)? attr-dict";
  let hasVerifier = 1;
}

#endif
