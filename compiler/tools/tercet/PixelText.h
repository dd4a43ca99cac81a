// PixelText: letters of 5 x 7 pixels (and a row for descenders) for pictures, so that axes and curves can be named without a font of the system.
#pragma once

#include "tercet/compiler/PngFile.h"

#include <array>
#include <string_view>

namespace tercet::cli {

using Colour = std::array<uint8_t, 3>;

/// Fills [x, x + width) x [y, y + height), as far as it lies in the picture.
void fillRectangle(compiler::RgbImage &image, int64_t x, int64_t y, int64_t width, int64_t height,
                   const Colour &colour);

/// Writes text whose top left corner is at (x, y); every pixel of a letter is a square of `scale` pixels. Letters are drawn
/// in lower case; what has no picture is a space.
void drawText(compiler::RgbImage &image, int64_t x, int64_t y, std::string_view text, const Colour &colour,
              int64_t scale = 2);

int64_t textWidth(std::string_view text, int64_t scale = 2);
constexpr int64_t textHeight(int64_t scale = 2) { return 7 * scale; }

} // namespace tercet::cli
