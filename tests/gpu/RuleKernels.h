// The kernels of selection alone, called as a plan calls them, on rule bytes and scores of a test's choosing: what masks and
// block sets may say about blocks goes through here bit by bit.
#pragma once

#include "gpu/SelectionCase.h"
#include "tercet/sim/Launch.h"

#include <optional>

namespace tercet::test {

/// What the kernels write: a class per block, the lists of critical blocks (with -1 behind their ends), and the members of the
/// linear set.
struct SelectedRows {
  std::vector<int8_t> classes;
  std::vector<int32_t> lists;
  std::vector<uint8_t> members;
};

/// Blocks that the linear set takes; in the order of class_row.cuh.
enum class MemberRule { marginal = 1, nonCritical = 2, full = 3, negligible = 4 };

/// CUDA text of the kernels of one selection: row (or shares and row), or rank, count and classes; and those of classes
/// handed in.
std::string ruleKernelText(const SelectionSpec &spec, MemberRule members);

/// Parses PTX of that text.
class RuleKernels {
public:
  static Result<RuleKernels> parse(const SelectionSpec &spec, const std::string &ptx);
  /// Selects; rules are call.rules, scores the input `gate`.
  Result<SelectedRows> select(const SelectionCall &call, const Tensor &scores, const sim::LaunchConfig &config) const;
  /// Takes classes [batch][heads][query blocks][key blocks]; null: of a pattern.
  Result<SelectedRows> take(const SelectionCall &call, std::vector<int8_t> *given,
                            const sim::LaunchConfig &config) const;

private:
  RuleKernels(SelectionSpec spec, sim::Module module) : spec(std::move(spec)), module(std::move(module)) {}

  SelectionSpec spec;
  sim::Module module;
};

/// What the rows have to be by their classes and rule bytes.
SelectedRows rowsOf(const SelectionCall &call, std::vector<int8_t> classes, MemberRule members);

} // namespace tercet::test
