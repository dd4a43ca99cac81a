// Every op of the tkern dialect, for mlir-tblgen.
include "tercet/dialect/KernelOps.td"
include "tercet/dialect/TileOps.td"
include "tercet/dialect/PairBodyOps.td"
include "tercet/dialect/MaskOps.td"
include "tercet/dialect/RingOps.td"
include "tercet/dialect/ListOps.td"
include "tercet/dialect/WorkerOps.td"
include "tercet/dialect/AsyncOps.td"
