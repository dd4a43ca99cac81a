// Every op of the tercet dialect, for mlir-tblgen.
include "tercet/dialect/SpecOps.td"
include "tercet/dialect/PairOps.td"
include "tercet/dialect/OrderOps.td"
include "tercet/dialect/ScoreOps.td"
include "tercet/dialect/ClassifyOps.td"
include "tercet/dialect/RegionOps.td"
include "tercet/dialect/CombineOps.td"
