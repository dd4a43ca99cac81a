# MLIR's headers, precompiled once for the components below: they are two thirds of what compiling these costs (12 s of a file
# without, 4 s with).
# tercet_precompile_mlir(component ..)
function(tercet_precompile_mlir)
  if(NOT TERCET_PRECOMPILE)
    return()
  endif()
  tercet_add_library(mlir_headers SOURCES ${PROJECT_SOURCE_DIR}/dialect/cmake/MLIRHeaders.cpp PUBLIC tercet::llvm)
  target_precompile_headers(tercet_mlir_headers PRIVATE
    <mlir/Dialect/Arith/IR/Arith.h> <mlir/Dialect/Math/IR/Math.h> <mlir/Dialect/SCF/IR/SCF.h>
    <mlir/IR/Builders.h> <mlir/IR/BuiltinOps.h> <mlir/IR/IRMapping.h> <mlir/IR/OpImplementation.h> <mlir/IR/PatternMatch.h>
    <llvm/ADT/StringSwitch.h> <llvm/ADT/TypeSwitch.h>)
  foreach(component ${ARGN})
    target_precompile_headers(tercet_${component} REUSE_FROM tercet_mlir_headers)
  endforeach()
endfunction()
