// tercet-opt: parses, verifies and transforms tercet and tkern IR; the lit tests' driver.
#include "tercet/dialect/TercetDialect.h"
#include "tercet/dialect/TkernDialect.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry.insert<tercet::ir::TercetDialect, tercet::tkern::TkernDialect, mlir::arith::ArithDialect,
                  mlir::scf::SCFDialect, mlir::math::MathDialect>();
  mlir::registerCanonicalizerPass();
  mlir::registerCSEPass();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "tercet optimizer driver\n", registry));
}
