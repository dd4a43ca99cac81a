// spec, param, return: the frame of a program.
#ifndef TERCET_SPEC_OPS_TD
#define TERCET_SPEC_OPS_TD

include "tercet/dialect/TercetDialect.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tercet_SpecOp : Tercet_Op<"spec", [IsolatedFromAbove, Symbol, SingleBlock, HasParent<"::mlir::ModuleOp">,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>]> {
  let summary = "an attention variant: arguments, parameters, and the branches that make its output";
  let description = [{
    Arguments are run-time tensors; their names are the SSA names as written, and the names used on the command line and
    in the API. Every spec also accepts the optional tensors `q_len`, `k_len` (int32 [batch]) and, if it classifies,
    `classes` (int8), which bypasses selection. See docs/spec.md#spec.

    | label | applies to | rule                                                                                    |
    |-------|------------|-----------------------------------------------------------------------------------------|
    | C1    | arguments  | the first three are tokens named `q`, `k`, `v`; the others are weights and tables, used  |
    | C2    | names      | of arguments and parameters: identifiers, all different, none reserved                   |
    | C3    | classes    | every class that a classification can hold is covered once, by a region or by `skip`, not all by `skip` |
    | C4    | classes    | at most one classification per spec                                                      |
    | C5    | body       | holds ops of the tercet dialect and ends with `tercet.return`                            |
    | C6    | tokens     | every op takes `q`, `k`, `v` as its own q, k, v                                          |
    | C7    | branches   | every branch is used once                                                                |
    | C8    | classes    | of query blocks of fewer than 16 tokens: no linear and no block_mean branch in the spec  |

    Example:
    ```mlir
    tercet.spec @dense(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
      %scale = tercet.param scale = auto : !tercet.runtime<f64>
      %o = tercet.sparse %q, %k, %v scale(%scale)
      tercet.return %o
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrArrayAttr:$arg_names /*C1, C2*/, OptionalAttr<StrAttr>:$doc);
  let regions = (region SizedRegion<1>:$body /*C3, C4, C5, C6, C7, C8*/);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// The parameter with this name, or null.
    ::tercet::ir::ParamOp lookupParam(::llvm::StringRef name);
    /// The argument with this name, or null.
    ::mlir::Value lookupArgument(::llvm::StringRef name);
    /// The op that makes the classes, or null: the spec has no classification.
    ::mlir::Operation *getClassification();
  }];
}

def Tercet_ParamOp : Tercet_Op<"param", [InSpec, Pure]> {
  let summary = "a named parameter with its default, static or runtime";
  let description = [{
    Static parameters bind at compile time, runtime parameters are launch scalars. `auto` (runtime floats only) leaves the
    default to the op that uses it: 1/sqrt(head dimension) for a scale. See docs/spec.md#param.

    | label | applies to | rule                                                    |
    |-------|------------|---------------------------------------------------------|
    | C1    | `value`    | is of the result's kind, a number if runtime; finite    |
    | C2    | `value`    | `auto` only for a runtime f64                           |
    | C3    | uses       | every parameter operand comes from a `tercet.param`     |

    Example:
    ```mlir
    tercet.spec @keep_half(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
      %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
      %block = tercet.param block = 64 : !tercet.static<i64>
      %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
      %classes = tercet.select %scores keep top_fraction(%keep)
      tercet.skip %classes[marginal]
      %o = tercet.sparse %q, %k, %v on %classes[critical]
      tercet.return %o
    }
    ```
  }];
  let arguments = (ins StrAttr:$name, AnyAttr:$value /*C1, C2*/);
  let results = (outs AnyTypeOf<[Tercet_Static, Tercet_Runtime]>:$result /*C3*/);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    bool isStatic() { return ::llvm::isa<::tercet::ir::StaticType>(getType()); }
    bool isAuto() { return ::llvm::isa<::mlir::UnitAttr>(getValue()); }
    ::tercet::ir::ParamKind getKind();
    /// Typed access; the kind must match (verified).
    double getFloat();
    int64_t getInteger();
    ::llvm::StringRef getKeyword();
    bool getFlag();
  }];
}

def Tercet_ReturnOp : Tercet_Op<"return", [Pure, Terminator, InSpec]> {
  let summary = "the output branch of a spec";
  let description = [{
    The branch's output becomes `o`; its log-sum-exp becomes `lse` where it has one (docs/spec.md#return).

    Example:
    ```mlir
    tercet.spec @linear_only(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
      %phi = tercet.param feature_map = elu : !tercet.static<keyword>
      %o = tercet.linear %q, %k, %v feature_map(%phi)
      tercet.return %o
    }
    ```
  }];
  let arguments = (ins Tercet_Branch:$output);
  let assemblyFormat = "$output attr-dict";
}

#endif
