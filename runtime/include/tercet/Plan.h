// The plan: what a compiled spec does at launch, as data. Written by the compiler, carried by the artifact, executed by
// the runtime. Buffers with symbolic sizes, nodes over groups of heads; nothing in it is compiled at launch. A plan is
// made for one target: CPU plans have builtins and no tensor maps, GPU plans the reverse.
//
// Symbols of an Expr, all bound at launch:
//   B H HKV N M D DV      sizes of q [B,H,N,D], k [B,HKV,M,D], v [B,HKV,M,DV]
//   R = H/HKV             query heads per KV head
//   P = B*HKV             (batch, KV head) pairs: the unit of grouping
//   G, G0                 pairs in a group, first pair of the current group
//   S, S0                 value slices in a pass, first slice of the current pass (loop `slices`)
//   I, I0                 query blocks in a pass, first query block of the current pass (loop `rows`)
//   THREADS               work items that may run at once: worker threads; on a GPU its multiprocessors
//   <tensor>.0 .. .3      strides in elements of an argument; <tensor>.present 0 or 1
//   <tensor>.h <tensor>.b shape along heads and batch, for broadcast (classes)
//   <tensor>.size0 .. size3  extents of an argument (tables)
//   <tensor>.dtype        DType of the argument as given (weights may be f32, f16 or bf16 where a plan asks for this)
//   param.<name>          a runtime parameter that is an integer
//   blocks.critical blocks.marginal blocks.negligible
//                         non-empty blocks of the current group by class, in `flops` of nodes only
// Outside a groups (slices, rows) node G (S, I) is the size of a full group (pass) and G0 (S0, I0) is 0.
#pragma once

#include "tercet/TableAxis.h"
#include "tercet/Tensor.h"
#include "tercet/TokenOrder.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tercet {

/// An integer expression over the plan's symbols, in postfix order.
struct Expr {
  enum class Op : uint8_t { constant, symbol, add, sub, mul, floordiv, ceildiv, rem, min, max };
  struct Step {
    Op op = Op::constant;
    int64_t constant = 0;
    std::string symbol;
  };
  std::vector<Step> steps;

  Expr() : Expr(0) {}
  Expr(int64_t constant) { steps.push_back({Op::constant, constant, {}}); }
  static Expr symbol(std::string name) {
    Expr expr;
    expr.steps = {{Op::symbol, 0, std::move(name)}};
    return expr;
  }
  static Expr apply(Op op, const Expr &left, const Expr &right) {
    Expr expr = left;
    expr.steps.insert(expr.steps.end(), right.steps.begin(), right.steps.end());
    expr.steps.push_back({op, 0, {}});
    return expr;
  }
};
inline Expr operator+(const Expr &a, const Expr &b) { return Expr::apply(Expr::Op::add, a, b); }
inline Expr operator-(const Expr &a, const Expr &b) { return Expr::apply(Expr::Op::sub, a, b); }
inline Expr operator*(const Expr &a, const Expr &b) { return Expr::apply(Expr::Op::mul, a, b); }
inline Expr floordiv(const Expr &a, const Expr &b) { return Expr::apply(Expr::Op::floordiv, a, b); }
inline Expr ceildiv(const Expr &a, const Expr &b) { return Expr::apply(Expr::Op::ceildiv, a, b); }

/// A workspace buffer; 64-byte aligned, contents undefined at launch.
struct PlanBuffer {
  std::string name;
  Expr bytes;
  std::string purpose; ///< one phrase for `explain`: "packed keys of a group"
};

/// A GPU tensor map: how box copies see a tensor or buffer. Encoded on the host at every launch. Axes go from the
/// innermost outwards, as the driver counts them; axis 0 has stride 1. What a box reads outside is zero.
struct PlanTensorMap {
  enum class Swizzle : uint8_t { none, bytes32, bytes64, bytes128 };
  bool ofBuffer = false; ///< the slot names a workspace buffer; else an argument
  DType dtype = DType::bf16;
  Expr offset = 0;           ///< of the map's first element from the base, in elements
  std::vector<Expr> sizes;   ///< elements per axis, 1 to 5 axes
  std::vector<Expr> strides; ///< in elements, one per axis but the innermost; multiples of 16 bytes
  std::vector<int64_t> box;  ///< elements per axis of one copy, 1 to 256 each
  Swizzle swizzle = Swizzle::none;
};

/// One slot of a node's argument block: 8 bytes. For a GPU kernel, one parameter of the __global__ function: a pointer,
/// an int64_t or a double, or a 128-byte tensor map (const __grid_constant__, aligned to 64 bytes).
struct PlanSlot {
  enum class Kind : uint8_t {
    tensor,    ///< base address of argument `name` (null when absent)
    buffer,    ///< address of workspace buffer `name`
    integer,   ///< int64 `value`
    scalar,    ///< runtime parameter `name`, as the bits of a double
    tensorMap, ///< GPU only: `map` over argument or buffer `name`
  };
  Kind kind = Kind::integer;
  std::string name;
  Expr value;
  PlanTensorMap map = {};
};

/// One step of a plan. A `kernel` runs items [0, grid0*grid1*grid2) of a compiled function, on a GPU a grid of that many
/// blocks (none when an extent is 0); a `builtin` runs items of a function of the runtime (runtime/lib/launch/builtins),
/// found by name; a `memset` fills the first `bytes` of workspace buffer `callee` with `byte`; a `groups`, `slices` or
/// `rows` node repeats its body.
struct PlanNode {
  enum class Kind : uint8_t { kernel, builtin, memset, groups, slices, rows };
  Kind kind = Kind::kernel;
  std::string callee;
  std::string stage; ///< timing bucket: "prologue", "select", "aggregate", "attend", ...
  Expr grid[3] = {1, 1, 1};
  std::vector<PlanSlot> slots;
  std::vector<std::string> kernels; ///< compiled functions that a builtin calls itself, in its documented order
  Expr flops = 0;             ///< executed floating-point operations where data does not decide; for explain and bench
  std::vector<PlanNode> body; ///< of groups, slices and rows
  Expr bytes = 0;             ///< of a memset
  uint8_t byte = 0;           ///< of a memset
};

/// How many pairs, slices and query blocks one pass may hold: the largest G and S with
/// G * S * (unitBytes + rows * rowBytes) <= budgetBytes, S filled up before G grows; where one pair and slice is too much
/// already, as many query blocks as fit (at least 8: their states share tables). Without such bytes G is
/// what keeps all threads busy.
struct PlanGrouping {
  Expr unitBytes = 0; ///< of a pair and slice
  Expr rowBytes = 0;  ///< and for every query block of a pass
  Expr budgetBytes = 0;
  Expr slices = 1, rows = 1;
  Expr itemsPerPair = 1; ///< work items of the attend stage per pair
};

/// An argument of the compiled program, in the spec's order; outputs follow inputs.
struct PlanArgument {
  enum class Role : uint8_t {
    query,
    key,
    value,
    weight,
    bias,
    classes,
    table,
    queryLengths,
    keyLengths,
    output,
    lse,
    classesOutput,
    wideOutput,     ///< of the softmax branch in f32, for the backward
    lseRest,        ///< what rounding left of lse, for the backward
    outputGradient, ///< of a plan of gradients, as are those below
    savedOutput,
    savedLse,
    savedLseRest,
    queryGradient,
    keyGradient,
    valueGradient,
    weightGradient,
    biasGradient,
    tableGradient ///< has the axes of its table
  };
  std::string name;
  Role role = Role::query;
  bool optional = false;
  bool isOutput = false;
  DType dtype = DType::f32; ///< compute dtype for q, k, v, o and gradients; weights f32 or as given; i8, i32 by role
  std::vector<int64_t> axes = {}; ///< of a table: TableAxis, or a number of entries
  friend bool operator==(const PlanArgument &, const PlanArgument &) = default;
};

/// Whether arguments of this role are shaped by PlanArgument::axes.
inline bool hasAxes(PlanArgument::Role role) {
  return role == PlanArgument::Role::table || role == PlanArgument::Role::tableGradient;
}

/// A runtime parameter: a launch scalar with a default.
struct PlanParameter {
  std::string name;
  double value = 0;
  bool isInteger = false;
  double minimum = 0, maximum = 0; ///< inclusive legal range; both 0 means unbounded
  friend bool operator==(const PlanParameter &, const PlanParameter &) = default;
};

/// The blocks of the classification are tiles of a grid (docs/spec.md#token_order).
struct PlanOrder {
  std::vector<std::string> grid; ///< runtime parameters that hold its sizes
  std::vector<int64_t> tile;     ///< as many axes
  TextPlace text = TextPlace::none;
  friend bool operator==(const PlanOrder &, const PlanOrder &) = default;

  /// In a call; valueOf(name) is the value of a parameter.
  template <typename ValueOf> TokenOrder sized(ValueOf valueOf) const {
    TokenOrder order{.text = text};
    size_t first = TokenOrder::axes - grid.size();
    for (size_t axis = 0; axis < grid.size(); ++axis) {
      order.grid[first + axis] = static_cast<int64_t>(valueOf(grid[axis]));
      order.tile[first + axis] = tile[axis];
    }
    return order;
  }
};

/// What a caller sees of a program: the same for every target of one artifact.
struct PlanSignature {
  std::vector<PlanArgument> arguments;
  std::vector<PlanParameter> parameters;
  int64_t blockQ = 0, blockK = 0; ///< 0: the spec has no classification
  std::optional<PlanOrder> order; ///< of the blocks; absent: they are runs of tokens

  /// The argument of this name, and the first one with this role; null: none.
  const PlanArgument *find(std::string_view name) const {
    return findIf([&](const PlanArgument &each) { return each.name == name; });
  }
  const PlanArgument *find(PlanArgument::Role role) const {
    return findIf([&](const PlanArgument &each) { return each.role == role; });
  }
  friend bool operator==(const PlanSignature &, const PlanSignature &) = default;

private:
  template <typename Is> const PlanArgument *findIf(Is is) const {
    auto found = std::find_if(arguments.begin(), arguments.end(), is);
    return found == arguments.end() ? nullptr : &*found;
  }
};

/// What one target does: its own buffers, groups and nodes.
struct Plan : PlanSignature {
  std::vector<PlanBuffer> buffers;
  PlanGrouping grouping;
  std::vector<PlanNode> nodes;
};

} // namespace tercet
