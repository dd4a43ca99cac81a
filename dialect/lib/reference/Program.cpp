// Program: what follows from its data alone.
#include "tercet/dialect/reference/Program.h"

#include <cmath>

#include <algorithm>

namespace tercet::reference {

TokenOrder GridOrder::sized(const std::vector<std::pair<std::string, double>> &parameters) const {
  TokenOrder order{.text = text};
  size_t first = TokenOrder::axes - grid.size();
  for (size_t axis = 0; axis < grid.size(); ++axis) {
    double size = grid[axis].value;
    for (const auto &[name, value] : parameters)
      size = name == grid[axis].parameter ? value : size;
    order.grid[first + axis] = static_cast<int64_t>(std::fmin(std::fmax(size, 1), TokenOrder::largestAxis));
    order.tile[first + axis] = tile[axis];
  }
  return order;
}

std::string_view branchKindName(Branch::Kind kind) {
  switch (kind) {
  case Branch::Kind::sparse:
    return "sparse";
  case Branch::Kind::linear:
    return "linear";
  case Branch::Kind::blockMean:
    return "block_mean";
  case Branch::Kind::compressed:
    return "compressed";
  case Branch::Kind::project:
    return "project";
  case Branch::Kind::gate:
    return "gate";
  case Branch::Kind::sum:
    return "sum";
  case Branch::Kind::joint:
    return "joint";
  case Branch::Kind::byHead:
    return "by_head";
  }
  return "unknown";
}

bool Program::hasLse(size_t index) const {
  const Branch &branch = branches[index];
  auto ofInputs =
      std::count_if(branch.inputs.begin(), branch.inputs.end(), [&](size_t input) { return hasLse(input); });
  switch (branch.kind) {
  case Branch::Kind::sparse:
  case Branch::Kind::blockMean:
  case Branch::Kind::compressed:
  case Branch::Kind::joint:
    return true;
  case Branch::Kind::linear:
  case Branch::Kind::project:
    return false;
  case Branch::Kind::gate:
  case Branch::Kind::sum:
    return ofInputs == 1;
  case Branch::Kind::byHead:
    return ofInputs == static_cast<std::ptrdiff_t>(branch.inputs.size());
  }
  return false;
}

} // namespace tercet::reference
