// Every built-in spec verifies, prints and parses again.
// RUN: cat %S/../../../dialect/specs/*.mlir > %t.mlir
// RUN: tercet-opt %t.mlir | tercet-opt | FileCheck %s
// CHECK-DAG: tercet.spec @dense(
// CHECK-DAG: tercet.spec @sparse_topk(
// CHECK-DAG: tercet.spec @sla(
// CHECK-DAG: tercet.spec @sla_non_critical(
// CHECK-DAG: tercet.spec @sla_all(
// CHECK-DAG: tercet.spec @block_mean(
