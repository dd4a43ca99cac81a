// Every op of the tkern dialect, for mlir-tblgen.
include "tercet/dialect/KernelOps.td"
include "tercet/dialect/TileOps.td"
