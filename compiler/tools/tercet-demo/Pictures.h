// Pictures: class maps as colours, and panels beside each other.
#pragma once

#include "tercet/compiler/PngFile.h"

#include <cstdint>
#include <span>
#include <vector>

namespace tercet::demo {

/// One pixel per block, query blocks from top to bottom: yellow critical (+1), blue marginal (0), black negligible or
/// empty (-1). classes: row-major [rows, columns].
compiler::RgbImage classPicture(std::span<const int8_t> classes, int64_t rows, int64_t columns);

/// Averages squares of factor x factor pixels; width and height are multiples of factor.
compiler::RgbImage shrink(const compiler::RgbImage &image, int64_t factor);

/// Panels of one height from left to right, on white, with a gap of 8 pixels between them.
compiler::RgbImage sideBySide(const std::vector<compiler::RgbImage> &panels);

} // namespace tercet::demo
