// A decoded module: instructions with their handlers, operands as slots of a register file, images of variables.
#pragma once

#include "core/Types.h"
#include "tercet/sim/Module.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tercet::sim {

class Cta;
class Warp;
struct Instruction;

/// One bit per lane of a warp.
using Mask = uint32_t;
constexpr Mask allLanes = ~Mask{0};

/// Executes an instruction for the lanes of `mask`, which is never empty. The program counter already points behind it.
using Handler = void (*)(Warp &warp, const Instruction &in, Mask mask);

/// [slot + offset]: slot is a register of 32 or 64 bits.
struct Address {
  uint32_t slot = 0;
  bool wide = false;
  int64_t offset = 0;
};

/// Slots index the warp's register words (32 words per 32-bit register, 64 per 64-bit one) or, for predicates, its
/// predicate masks. What the fields past `space` mean is up to the handler.
struct Instruction {
  Handler execute = nullptr;
  const uint32_t *to = nullptr;
  const uint32_t *from = nullptr;
  int32_t guard = -1; ///< predicate slot, or -1
  bool guardNegated = false;
  bool hasLabel = false;
  uint16_t kind = 0; ///< index into Program::kinds
  uint16_t toCount = 0, fromCount = 0;
  Type type = Type::none, type2 = Type::none;
  Space space = Space::generic;
  uint8_t vector = 1;     ///< elements of a vector access
  uint32_t usedBytes = 0; ///< of a load, one bit per byte that matters (.pragma "used_bytes_mask"); 0: all
  uint8_t variant = 0;
  uint8_t variant2 = 0;
  bool flag = false, flag2 = false;
  bool unwatched = false;                        ///< follows its registers itself: RegisterWatch leaves it out
  uint16_t predicatesTo = 0, predicatesFrom = 0; ///< which of the first 16 of `to` and `from` are predicates
  int32_t target = -1;                           ///< of a branch
  int64_t immediate = 0;
  Address address[3];
  uint64_t flops = 0; ///< of one execution by a warp, on matrix units
  uint32_t index = 0; ///< its own program counter
  uint32_t line = 0;
  uint32_t textBegin = 0, textLength = 0;
};

/// What a special register holds, by the name PTX gives it.
enum class Special : uint8_t {
  tidX,
  tidY,
  tidZ,
  ntidX,
  ntidY,
  ntidZ,
  ctaidX,
  ctaidY,
  ctaidZ,
  nctaidX,
  nctaidY,
  nctaidZ,
  laneid,
  warpid,
  nwarpid,
  smid,
  nsmid,
  gridid,
  lanemaskEq,
  lanemaskLt,
  lanemaskLe,
  lanemaskGt,
  lanemaskGe,
  clusteridX,
  clusteridY,
  clusteridZ,
  nclusteridX,
  nclusteridY,
  nclusteridZ,
  clusterCtaidX,
  clusterCtaidY,
  clusterCtaidZ,
  clusterNctaidX,
  clusterNctaidY,
  clusterNctaidZ,
  clusterCtarank,
  clusterNctarank,
  isExplicitCluster,
  dynamicSmemSize,
  totalSmemSize,
};

struct Kernel {
  KernelInfo info;
  std::vector<Instruction> code;
  /// What `to` and `from` of the instructions point into.
  std::vector<uint32_t> operands;
  uint32_t words = 0;
  uint32_t predicates = 0;
  struct Constant {
    uint32_t slot;
    bool wide;
    uint64_t value;
  };
  std::vector<Constant> constants;
  std::vector<uint32_t>
      truePredicates; ///< predicate slots that are always true; a constant false is a slot never written
  struct SpecialSlot {
    uint32_t slot;
    bool wide;
    Special special;
  };
  std::vector<SpecialSlot> specials;
  std::vector<std::vector<uint32_t>> branchTables; ///< of indexed branches; Instruction::target is the number of one
  uint32_t localBytes = 0;
  bool usesDynamicShared = false;
  /// Atomics on global memory, or reads that wait for other CTAs: one host thread, in order.
  bool needsOrder = false;

  using StartHook = void (*)(Cta &);
  /// What families do when a CTA has started, and what they check before lanes exit; each once.
  std::vector<StartHook> atStart;
  std::vector<Handler> atExit;
  template <typename Hook> static void addOnce(std::vector<Hook> &hooks, Hook hook) {
    if (std::find(hooks.begin(), hooks.end(), hook) == hooks.end())
      hooks.push_back(hook);
  }
};

struct Program {
  std::string source;
  std::string target;
  std::vector<Kernel> kernels;
  std::vector<KernelInfo> infos;
  std::vector<std::string> kinds;
  std::vector<std::byte> moduleImage;   ///< .global variables, at window::module
  std::vector<std::byte> constantImage; ///< .const variables, at window::constant

  std::string_view textOf(const Instruction &in) const {
    return std::string_view(source).substr(in.textBegin, in.textLength);
  }
};

} // namespace tercet::sim
