// KernelPrinter: the state of printing one kernel. Split by op family: KernelPrinter.cpp (frame, scopes, memory),
// PrintScalars.cpp (arith, math), PrintTiles.cpp (tile ops, products), PrintPairs.cpp (bodies over pairs, tables),
// PrintRings.cpp (rings, roles).
#pragma once

#include "CodeWriter.h"

#include "tercet/compiler/cuda/CudaPrinter.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringSet.h"

#include <set>

namespace tercet::compiler {

class KernelPrinter {
public:
  explicit KernelPrinter(tkern::KernelOp kernel);
  Result<CudaSource> print(const std::string &title);

private:
  // Frame and scopes.
  void printParameters();
  void printBody(mlir::Block &block);
  void printOp(mlir::Operation *op);
  bool printControl(mlir::Operation *op);
  bool printCall(mlir::Operation *op);
  bool printMemory(mlir::Operation *op);
  bool printScalar(mlir::Operation *op);
  bool printIndexArithmetic(mlir::Operation *op);
  bool printFloatArithmetic(mlir::Operation *op);
  bool printTile(mlir::Operation *op);
  bool printMap(tkern::MapOp op);
  bool printPairs(mlir::Operation *op);
  bool printMask(mlir::Operation *op);
  bool printProduct(mlir::Operation *op);
  bool printRing(mlir::Operation *op);
  bool printRoles(tkern::RolesOp op);

  // Names and types.
  /// Gives a value its name in C++: the IR's, or `fallback`, made unique.
  std::string declare(mlir::Value value, llvm::StringRef fallback);
  /// `wanted`, or that with a number behind it: a name that nothing has yet.
  std::string fresh(llvm::StringRef wanted);
  /// The name or literal of a value.
  std::string ref(mlir::Value value) const;
  std::string typeOf(mlir::Type type) const;
  std::string elementName(mlir::Type type) const;
  /// `const TYPE name = EXPRESSION;`
  bool define(mlir::Value value, llvm::StringRef fallback, const std::string &type, const std::string &expression);
  /// A body as a lambda of its arguments: `HEAD[&](TYPE NAME, ..) {`, its ops, `}TAIL;`
  void printLambda(mlir::Block &body, const std::string &head, const std::string &tail);
  int64_t threads() const;
  int64_t sharedBytes() const; ///< dynamic, of a block
  void use(const char *header) { headers.insert(header); }

  tkern::KernelOp kernel;
  tkern::GpuScheduleAttr schedule;
  CodeWriter code;
  llvm::DenseMap<mlir::Value, std::string> names;
  llvm::StringSet<> taken;
  std::set<std::string> headers;
  Status failure;
};

} // namespace tercet::compiler
