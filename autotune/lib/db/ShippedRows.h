// ShippedRows: the files of autotune/db, embedded at build time.
#pragma once

#include <string>

namespace tercet::tune {

/// Their lines, file by file.
const std::string &shippedRows();

} // namespace tercet::tune
