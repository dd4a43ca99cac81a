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
    f32. arith on i32, wherever it stands, comes from regions over pairs and has the meaning of docs/spec.md#regions. Tiles
    are always f32: loads widen, stores round. Schedules are attributes of the kernel.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect", "::mlir::math::MathDialect"];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let usePropertiesForAttributes = 1;
}

class Tkern_Type<string name, string typeMnemonic> : TypeDef<Tkern_Dialect, name> { let mnemonic = typeMnemonic; }

def Tkern_Pointer : Tkern_Type<"Pointer", "pointer"> {
  let summary = "the address of an argument or workspace buffer, with its element type";
  let parameters = (ins "::mlir::Type":$elementType);
  let genVerifyDecl = 1;
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

def Tkern_Layout : I32EnumAttr<"Layout", "how the rows of a view lie in memory", [
    I32EnumAttrCase<"Rows", 0, "rows">, I32EnumAttrCase<"Swizzled", 1, "swizzled">]> {
  let cppNamespace = "::tercet::tkern";
  let genSpecializedAttr = 0;
}

def Tkern_View : Tkern_Type<"View", "view"> {
  let summary = "a two-dimensional row-major window on memory; a stride of ? is known at run time";
  let description = [{
    `!tkern.view<64x128xf32, stride 128, local>`: at least 64 rows of 128 elements, rows `stride` elements apart. `local`
    memory belongs to one work item (scratch on the CPU); `shared` to a thread block; `register` to a warp or warpgroup.

    `!tkern.view<64x128xbf16, stride 64, shared, swizzled>` is the layout of tensor copies and warpgroup products: boxes
    of `stride` columns (128 bytes), one after the other, in whose rows the 16-byte chunks are exchanged by
    chunk ^= row mod 8.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$cols, "::mlir::Type":$elementType, "int64_t":$stride,
                        EnumParameter<Tkern_Space>:$space, EnumParameter<Tkern_Layout>:$layout);
  let builders = [TypeBuilder<(ins "int64_t":$rows, "int64_t":$cols, "::mlir::Type":$elementType, "int64_t":$stride,
                                   "::tercet::tkern::Space":$space), [{
    return $_get($_ctxt, rows, cols, elementType, stride, space, Layout::Rows);
  }]>];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = "bool hasStaticStride() const { return getStride() >= 0; }";
}

def Tkern_Tile : Tkern_Type<"Tile", "tile"> {
  let summary = "a register tile of f32: rows x columns; a single column is one value per row";
  let parameters = (ins "int64_t":$rows, "int64_t":$cols);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Whether it has the rows and columns of `other`, or one.
    bool broadcastsTo(TileType other) const {
      return (getRows() == other.getRows() || getRows() == 1) && (getCols() == other.getCols() || getCols() == 1);
    }
  }];
}

def Tkern_ReduceKind : I32EnumAttr<"ReduceKind", "row reduction", [
    I32EnumAttrCase<"Add", 0, "add">, I32EnumAttrCase<"Max", 1, "max">]> {
  let cppNamespace = "::tercet::tkern";
}

// The GPU's types: rings of shared tiles, tensor maps, products in flight.

def Tkern_CopyKind : I32EnumAttr<"CopyKind", "who fills the slots of a ring", [
    I32EnumAttrCase<"CpAsync", 0, "cp_async">, I32EnumAttrCase<"Tma", 1, "tma">]> {
  let cppNamespace = "::tercet::tkern";
  let genSpecializedAttr = 0;
}

def Tkern_Ring : Tkern_Type<"Ring", "ring"> {
  let summary = "slots of shared memory that are filled in turn: step s uses slot s mod `slots`";
  let description = [{
    `cp_async`: all threads of the block copy 16-byte chunks, and a wait is a barrier of the block. `tma`: one thread of the
    producer role starts box copies; barriers in shared memory say per slot when it is full and when it is free.
  }];
  let parameters = (ins "int64_t":$slots, "::tercet::tkern::ViewType":$slot, EnumParameter<Tkern_CopyKind>:$copy);
  let assemblyFormat = "`<` $slots `x` $slot `,` $copy `>`";
  let genVerifyDecl = 1;
}

def Tkern_TensorMap : Tkern_Type<"TensorMap", "tensor_map"> {
  let summary = "a tensor as box copies see it: [batch, heads, tokens, columns], read in boxes of rows x columns";
  let description = "Positions outside the tensor read as 0. Encoded on the host at launch; 128 bytes in the argument block.";
  let parameters = (ins "int64_t":$rows, "int64_t":$cols, "::mlir::Type":$elementType);
  let hasCustomAssemblyFormat = 1;
}

def Tkern_Pending : Tkern_Type<"Pending", "pending"> {
  let summary = "a register tile that a matrix product in flight is writing; tkern.await makes it a tile";
  let parameters = (ins "int64_t":$rows, "int64_t":$cols);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def Tkern_Token : Tkern_Type<"Token", "token"> {
  let summary = "a matrix product in flight that adds to an accumulator";
}

def Tkern_StepList : Tkern_Type<"StepList", "step_list"> {
  let summary = "a list of steps in the shared memory of a block (tkern.step_windows)";
}

// The GPU's schedule: written once, by the lowering; everything else derives from it.

def Tkern_WorkerKind : I32EnumAttr<"WorkerKind", "what holds a register tile", [
    I32EnumAttrCase<"Warp", 0, "warp">, I32EnumAttrCase<"Warpgroup", 1, "warpgroup">]> {
  let cppNamespace = "::tercet::tkern";
  let genSpecializedAttr = 0;
}

def Tkern_GpuSchedule : AttrDef<Tkern_Dialect, "GpuSchedule"> {
  let mnemonic = "gpu_schedule";
  let summary = "how an attention kernel uses a GPU: the discardable attribute `tkern.schedule` of a kernel";
  let description = [{
    `workers` warps (16 query rows each) or warpgroups (64 rows) work on the rows of a block and take `keys` keys per step,
    through rings of `slots` slots for K and for V. Query rows stay in registers or are read from shared memory by every
    product. Registers per thread of the producer and the consumers are 0 where there are no roles. `split`, where it is given: blocks
    of rows come longest first, and those with more columns than so many times the mean in parts.
  }];
  let parameters = (ins EnumParameter<Tkern_WorkerKind>:$worker, "int64_t":$workers, "int64_t":$keys, "int64_t":$slots,
                        EnumParameter<Tkern_Space>:$queries, "int64_t":$producerRegisters,
                        "int64_t":$consumerRegisters, DefaultValuedParameter<"int64_t", "0">:$split);
  let assemblyFormat = [{
    `<` $workers `x` $worker `,` `keys` $keys `,` `slots` $slots `,` `queries` $queries `,` `registers` $producerRegisters
    `:` $consumerRegisters (`,` `split` $split^)? `>`
  }];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Query rows of one worker, and of the whole block.
    int64_t getWorkerRows() const { return getWorker() == WorkerKind::Warp ? 16 : 64; }
    int64_t getBlockRows() const { return getWorkers() * getWorkerRows(); }
    /// Threads of the block: the workers and, with warpgroups, one producer warpgroup.
    int64_t getThreads() const {
      return getWorker() == WorkerKind::Warp ? 32 * getWorkers() : 128 * (getWorkers() + 1);
    }
    /// The name of the attribute on a kernel.
    static constexpr ::llvm::StringLiteral attributeName = "tkern.schedule";
  }];
}

class Tkern_Op<string mnemonic, list<Trait> traits = []> : Op<Tkern_Dialect, mnemonic, traits>;

#endif
