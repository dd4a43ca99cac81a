// The tkern dialect: HOW a stage of a plan runs, as loops over register tiles.
#ifndef TKERN_DIALECT_TD
#define TKERN_DIALECT_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

def Tkern_Dialect : Dialect {
  let name = "tkern";
  let cppNamespace = "::tercet::tkern";
  let summary = "kernels over tiles: the exit dialect of every target";
  let description = [{
    A kernel runs one work item. Memory is seen through views; values are register tiles of the target's own size, so every
    op lowers locally. Control flow is scf, integer arithmetic is arith on index, element-wise bodies are arith and math on
    f32. Tiles are always f32: loads widen, stores round. Schedules are attributes of the kernel.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect", "::mlir::math::MathDialect"];
  let useDefaultTypePrinterParser = 1;
  let usePropertiesForAttributes = 1;
}

class Tkern_Type<string name, string typeMnemonic> : TypeDef<Tkern_Dialect, name> { let mnemonic = typeMnemonic; }

def Tkern_Pointer : Tkern_Type<"Pointer", "pointer"> {
  let summary = "the address of an argument or workspace buffer, with its element type";
  let parameters = (ins "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $elementType `>`";
  let builders = [TypeBuilderWithInferredContext<(ins "::mlir::Type":$elementType), [{
    return $_get(elementType.getContext(), elementType);
  }]>];
}

def Tkern_Space : I32EnumAttr<"Space", "where a view lies", [
    I32EnumAttrCase<"Global", 0, "global">, I32EnumAttrCase<"Local", 1, "local">,
    I32EnumAttrCase<"Shared", 2, "shared">, I32EnumAttrCase<"Register", 3, "register">]> {
  let cppNamespace = "::tercet::tkern";
  let genSpecializedAttr = 0;
}

def Tkern_View : Tkern_Type<"View", "view"> {
  let summary = "a two-dimensional row-major window on memory; a stride of ? is known at run time";
  let description = [{
    `!tkern.view<64x128xf32, stride 128, local>`: at least 64 rows of 128 elements, rows `stride` elements apart. `local`
    memory belongs to one work item (scratch on the CPU); `shared` to a thread block; `register` to a warp or warpgroup.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$cols, "::mlir::Type":$elementType, "int64_t":$stride,
                        EnumParameter<Tkern_Space>:$space);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = "bool hasStaticStride() const { return getStride() >= 0; }";
}

def Tkern_Tile : Tkern_Type<"Tile", "tile"> {
  let summary = "a register tile of f32: rows x columns; a single column is one value per row";
  let parameters = (ins "int64_t":$rows, "int64_t":$cols);
  let hasCustomAssemblyFormat = 1;
}

def Tkern_ReduceKind : I32EnumAttr<"ReduceKind", "row reduction", [
    I32EnumAttrCase<"Add", 0, "add">, I32EnumAttrCase<"Max", 1, "max">]> {
  let cppNamespace = "::tercet::tkern";
}

class Tkern_Op<string mnemonic, list<Trait> traits = []> : Op<Tkern_Dialect, mnemonic, traits>;

#endif
