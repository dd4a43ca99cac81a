// Spelling: the nearest known name, for messages about unknown ones.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tercet {

/// The candidate with the smallest edit distance to `name`, if that is small enough to be a likely slip; else empty.
std::string nearestName(std::string_view name, const std::vector<std::string> &candidates);

/// "; did you mean 'keep'?", or nothing.
std::string suggestion(std::string_view name, const std::vector<std::string> &candidates);

} // namespace tercet
