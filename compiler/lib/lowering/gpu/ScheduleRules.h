// ScheduleRules: what every schedule of a GPU kernel keeps.
#pragma once

#include <string>

namespace tercet::compiler {

/// The rule that a schedule breaks, by name and with its figures; empty: none. Registers are those of a thread that holds tiles, shared
/// memory that of a block.
std::string overBudget(int64_t registers, int64_t mostRegisters, int64_t sharedBytes, int64_t mostSharedBytes);

} // namespace tercet::compiler
