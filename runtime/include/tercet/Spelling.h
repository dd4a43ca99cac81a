// Spelling: names in messages: the nearest known one, and words of files that may hold anything.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tercet {

/// The candidate with the smallest edit distance to `name`, if that is small enough to be a likely slip; else empty.
std::string nearestName(std::string_view name, const std::vector<std::string> &candidates);

/// "; did you mean 'keep'?", or nothing.
std::string suggestion(std::string_view name, const std::vector<std::string> &candidates);

/// A word of a file as a message may show it: at most `limit` bytes, and '?' for control characters.
std::string excerpt(std::string_view text, size_t limit = 80);
/// Whether `text` holds a control character: a line break, or what a terminal would obey.
bool hasControlCharacter(std::string_view text);

} // namespace tercet
