// tercet-lsp-server: errors, hover and go-to-definition for specs and kernels in an editor, over MLIR's language
// server.
#include "tercet/dialect/TercetDialect.h"
#include "tercet/dialect/TkernDialect.h"

#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry.insert<tercet::ir::TercetDialect, tercet::tkern::TkernDialect, mlir::arith::ArithDialect,
                  mlir::scf::SCFDialect, mlir::math::MathDialect>();
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}
