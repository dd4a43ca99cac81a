// Colours that stay apart for colour-blind eyes and when averaged: light on dark, yellow against blue.
#include "Pictures.h"

#include <algorithm>
#include <array>

namespace tercet::demo {
namespace {

using compiler::RgbImage;
using Colour = std::array<uint8_t, 3>;
constexpr Colour critical{255, 214, 64}, marginal{52, 96, 168}, negligible{0, 0, 0};
constexpr int64_t gap = 8;

} // namespace

RgbImage classPicture(std::span<const int8_t> classes, int64_t rows, int64_t columns) {
  TERCET_CHECK(static_cast<int64_t>(classes.size()) == rows * columns, "a class for every block");
  RgbImage image{columns, rows, std::vector<uint8_t>(classes.size() * 3)};
  for (size_t block = 0; block < classes.size(); ++block) {
    const Colour &colour = classes[block] > 0 ? critical : classes[block] == 0 ? marginal : negligible;
    std::copy(colour.begin(), colour.end(), image.pixels.begin() + static_cast<std::ptrdiff_t>(block * 3));
  }
  return image;
}

RgbImage shrink(const RgbImage &image, int64_t factor) {
  TERCET_CHECK(factor > 0 && image.width % factor == 0 && image.height % factor == 0, "whole squares");
  RgbImage small = RgbImage::filled(image.width / factor, image.height / factor, 0, 0, 0);
  for (int64_t y = 0; y < small.height; ++y)
    for (int64_t x = 0; x < small.width; ++x)
      for (int64_t c = 0; c < 3; ++c) {
        int64_t sum = 0, count = factor * factor;
        for (int64_t i = 0; i < count; ++i)
          sum += image.at(x * factor + i % factor, y * factor + i / factor)[c];
        small.at(x, y)[c] = static_cast<uint8_t>((sum + count / 2) / count);
      }
  return small;
}

RgbImage sideBySide(const std::vector<RgbImage> &panels) {
  TERCET_CHECK(!panels.empty(), "at least one panel");
  int64_t width = -gap;
  for (const RgbImage &panel : panels) {
    TERCET_CHECK(panel.height == panels.front().height, "panels of one height");
    width += gap + panel.width;
  }
  RgbImage whole = RgbImage::filled(width, panels.front().height, 255, 255, 255);
  int64_t left = 0;
  for (const RgbImage &panel : panels) {
    for (int64_t y = 0; y < panel.height; ++y)
      std::copy_n(panel.at(0, y), panel.width * 3, whole.at(left, y));
    left += panel.width + gap;
  }
  return whole;
}

} // namespace tercet::demo
