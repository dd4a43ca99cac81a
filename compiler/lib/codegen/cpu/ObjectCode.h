// ObjectCode: a module of tkern kernels to LLVM, to an object file, to a shared object.
#pragma once

#include "CpuTarget.h"

#include "tercet/Artifact.h"

#include "mlir/IR/BuiltinOps.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tercet::codegen {

struct CpuCode {
  std::vector<KernelInfo> kernels;
  std::string llvmText; ///< only where asked for
  std::vector<uint8_t> object;
};

/// Lowers every tkern.kernel of the module. compileFailed is a defect: legal kernels always lower.
Result<CpuCode> generateObject(mlir::ModuleOp kernels, const CpuTarget &target, bool wantText = false);

/// Makes a shared object without dependencies of one object. compileFailed if it needs anything from outside.
Result<std::vector<uint8_t>> linkSharedObject(const std::vector<uint8_t> &object);

} // namespace tercet::codegen
