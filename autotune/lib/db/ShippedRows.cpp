#include "ShippedRows.h"

#include <string_view>
#include <utility>
#include <vector>

namespace tercet::tune {

const std::string &shippedRows() {
  static const std::string rows = [] {
    const std::vector<std::pair<std::string_view, std::string_view>> files = {
#include "ShippedRows.inc"
    };
    std::string text;
    for (const auto &[name, lines] : files)
      text += lines;
    return text;
  }();
  return rows;
}

} // namespace tercet::tune
