// The tercet dialect: WHAT an attention variant computes. Semantics are normative in docs/spec.md.
#ifndef TERCET_DIALECT_TD
#define TERCET_DIALECT_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

def Tercet_Dialect : Dialect {
  let name = "tercet";
  let cppNamespace = "::tercet::ir";
  let summary = "attention as classified blocks: exact, linear, skipped";
  let description = [{
    A spec says how attention splits into blocks: which (query block, key block) pairs are computed exactly, which through
    a feature map in linear time, which not at all. Values are token tensors, block scores, block classes, parameters and
    branches (an output with its log-sum-exp or its linear normaliser). Nothing here says how to compute: tiles, lists and
    kernels belong to the tkern dialect.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let usePropertiesForAttributes = 1;
}

class Tercet_Type<string name, string typeMnemonic, list<Trait> traits = []> : TypeDef<Tercet_Dialect, name, traits> {
  let mnemonic = typeMnemonic;
}

def Tercet_Tokens : Tercet_Type<"Tokens", "tokens"> {
  let summary = "a token tensor [batch, heads, tokens, features]";
  let description = "Head dimension and dtype bind at compile time, every other size is a run-time argument.";
}
def Tercet_Weight : Tercet_Type<"Weight", "weight"> {
  let summary = "a weight shared by all heads: a matrix [value_dim, value_dim] or a bias [value_dim]";
}
def Tercet_Table : Tercet_Type<"Table", "table"> {
  let summary = "a tensor that regions read by index: `!tercet.table<[batch, query], i32>`";
  let description = [{
    Axes are named after what their index counts (`batch`, `head`, `kv_head`, `query`, `key`, `query_block`, `key_block`,
    `feature`), are a number (that many entries), or `any`. A named axis of a tensor handed in has the size of what it counts, or 1, which
    serves every index. Elements are f32, or i32, which regions read as index. See docs/spec.md#table.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$axes, "::mlir::Type":$elementType);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Whether the axes are these named ones.
    bool hasAxes(::std::initializer_list<::tercet::TableAxis> axes) const;
  }];
}
def Tercet_Mask : Tercet_Type<"Mask", "mask"> {
  let summary = "which pairs of a query token and a key token take part";
  let description = "Abstract: the compiler keeps a rule, never one entry per pair.";
}
def Tercet_BlockSet : Tercet_Type<"BlockSet", "block_set"> {
  let summary = "a set of (query block, key block) pairs per head";
}
def Tercet_Scores : Tercet_Type<"Scores", "scores"> {
  let summary = "one score per (query block, key block) and query head";
}
def Tercet_Classes : Tercet_Type<"Classes", "classes"> {
  let summary = "one class per (query block, key block) and query head: critical, marginal or negligible";
  let description = "Abstract: the compiler stores it as a byte map, as lists or not at all.";
}
def Tercet_Branch : Tercet_Type<"Branch", "branch"> {
  let summary = "an attention output, normalised over its own set of blocks, with what merging needs";
}

def Tercet_ParamKind : I32EnumAttr<"ParamKind", "what a parameter holds", [
    I32EnumAttrCase<"Float", 0, "f64">, I32EnumAttrCase<"Integer", 1, "i64">,
    I32EnumAttrCase<"Keyword", 2, "keyword">, I32EnumAttrCase<"Flag", 3, "flag">]> {
  let cppNamespace = "::tercet::ir";
  let genSpecializedAttr = 0;
}
class Tercet_ParamType<string name, string mnemonic, string when> : Tercet_Type<name, mnemonic> {
  let summary = "a parameter bound at " # when;
  let parameters = (ins EnumParameter<Tercet_ParamKind>:$kind);
  let assemblyFormat = "`<` $kind `>`";
}
def Tercet_Static : Tercet_ParamType<"Static", "static", "compile time: another value is another kernel">;
def Tercet_Runtime : Tercet_ParamType<"Runtime", "runtime", "launch: another value never compiles">;

// Parameter operands have one type each, so the syntax of ops does not spell it out.
class Tercet_Param<string cppType, string cppKind, string description> : Type<
    And<[CPred<"::llvm::isa<::tercet::ir::" # cppType # ">($_self)">,
         CPred<"::llvm::cast<::tercet::ir::" # cppType # ">($_self).getKind() == ::tercet::ir::ParamKind::" # cppKind>]>,
    description>,
  BuildableType<"$_builder.getType<::tercet::ir::" # cppType # ">(::tercet::ir::ParamKind::" # cppKind # ")">;
def Tercet_StaticInteger : Tercet_Param<"StaticType", "Integer", "static integer parameter">;
def Tercet_StaticKeyword : Tercet_Param<"StaticType", "Keyword", "static keyword parameter">;
def Tercet_StaticFlag : Tercet_Param<"StaticType", "Flag", "static flag parameter">;
def Tercet_RuntimeFloat : Tercet_Param<"RuntimeType", "Float", "runtime float parameter">;
def Tercet_RuntimeInteger : Tercet_Param<"RuntimeType", "Integer", "runtime integer parameter">;

// Block classes as sets, so that a region names the classes it covers: `on %classes[critical]`.
def Tercet_ClassSet : I32BitEnumAttr<"ClassSet", "a set of block classes", [
    I32BitEnumAttrCaseBit<"Critical", 0, "critical">, I32BitEnumAttrCaseBit<"Marginal", 1, "marginal">,
    I32BitEnumAttrCaseBit<"Negligible", 2, "negligible">]> {
  let cppNamespace = "::tercet::ir";
  let separator = ", ";
  let genSpecializedAttr = 0;
}
def Tercet_ClassSetAttr : EnumAttr<Tercet_Dialect, Tercet_ClassSet, "class_set"> {
  let assemblyFormat = "`[` $value `]`";
}

def Tercet_KeepUnit : I32EnumAttr<"KeepUnit", "how many blocks are kept", [
    I32EnumAttrCase<"Fraction", 0, "top_fraction">, I32EnumAttrCase<"Count", 1, "top_count">,
    I32EnumAttrCase<"Mass", 2, "top_mass">, I32EnumAttrCase<"Above", 3, "above">,
    I32EnumAttrCase<"Relative", 4, "relative">, I32EnumAttrCase<"Percentile", 5, "percentile">,
    I32EnumAttrCase<"Within", 6, "within_mass">]> {
  let cppNamespace = "::tercet::ir";
}
def Tercet_DropUnit : I32EnumAttr<"DropUnit", "how many blocks are dropped", [
    I32EnumAttrCase<"Fraction", 0, "bottom_fraction">, I32EnumAttrCase<"Count", 1, "bottom_count">]> {
  let cppNamespace = "::tercet::ir";
}
def Tercet_CombineKind : I32EnumAttr<"CombineKind", "how branches become one output", [
    I32EnumAttrCase<"Sum", 0, "sum">, I32EnumAttrCase<"Joint", 1, "joint">,
    I32EnumAttrCase<"ByHead", 2, "by_head">]> {
  let cppNamespace = "::tercet::ir";
}

def Tercet_Extent : I32EnumAttr<"Extent", "a size of the call, lengths considered", [
    I32EnumAttrCase<"Query", 0, "query">, I32EnumAttrCase<"Key", 1, "key">, I32EnumAttrCase<"Head", 2, "head">,
    I32EnumAttrCase<"KvHead", 3, "kv_head">]> {
  let cppNamespace = "::tercet::ir";
}

def Tercet_TextPlace : I32EnumAttr<"TextPlace", "where tokens lie that are not of the grid", [
    I32EnumAttrCase<"Prefix", 0, "prefix">, I32EnumAttrCase<"Suffix", 1, "suffix">]> {
  let cppNamespace = "::tercet::ir";
}

// Ops stand directly in a spec, or in a region of one of its ops.
def InSpec : HasParent<"::tercet::ir::SpecOp">;
def InRegion : ParentOneOf<["::tercet::ir::MaskOp", "::tercet::ir::BlockSetOp", "::tercet::ir::SparseOp",
    "::tercet::ir::CompressedOp", "::tercet::ir::GateOp", "::tercet::ir::CompressedScoresOp"]>;

class Tercet_Op<string mnemonic, list<Trait> traits = []> : Op<Tercet_Dialect, mnemonic, traits>;

#endif
