// PngFile: 8-bit RGB pictures in and out of .png files.
#pragma once

#include "tercet/Status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tercet::compiler {

/// One picture: height rows of width pixels of three bytes (red, green, blue), top to bottom, without padding.
struct RgbImage {
  int64_t width = 0, height = 0;
  std::vector<uint8_t> pixels;

  /// A picture of one colour. Sizes are at least 1.
  static RgbImage filled(int64_t width, int64_t height, uint8_t red, uint8_t green, uint8_t blue);
  uint8_t *at(int64_t x, int64_t y) { return &pixels[static_cast<size_t>((y * width + x) * 3)]; }
  const uint8_t *at(int64_t x, int64_t y) const { return &pixels[static_cast<size_t>((y * width + x) * 3)]; }
};

/// Reads any .png as 8-bit RGB: grey and palettes are expanded, 16 bits rounded, transparency laid over black. Nothing
/// in the file is trusted: its size is bounded before memory is taken for it. invalidArgument with the file's name when
/// it cannot be read, is damaged, is no PNG, or has more than 2^26 pixels.
Result<RgbImage> readPng(const std::string &path);

/// Writes whole or not at all. invalidArgument with the system's reason.
Status writePng(const std::string &path, const RgbImage &image);

} // namespace tercet::compiler
