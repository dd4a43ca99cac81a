// Photo: a picture as numbers, its noise, and how far two of them are apart.
#pragma once

#include "tercet/compiler/PngFile.h"

#include <cstdint>
#include <span>
#include <vector>

namespace tercet::demo {

constexpr int64_t channels = 3;

/// Rows of pixels of three channels; the full range of a channel is 0 to 1, and noise may leave it.
struct Photo {
  int64_t width = 0, height = 0;
  std::vector<float> values;

  const float *at(int64_t x, int64_t y) const { return &values[static_cast<size_t>((y * width + x) * channels)]; }
  float *at(int64_t x, int64_t y) { return &values[static_cast<size_t>((y * width + x) * channels)]; }
};

/// The square of `side` pixels in the middle of a picture. invalidArgument when the picture is smaller.
Result<Photo> cropCentre(const compiler::RgbImage &image, int64_t side);

/// Clamps to the full range and rounds.
compiler::RgbImage toRgb(const Photo &photo);

/// Adds Gaussian noise of standard deviation sigma to every value; the same seed gives the same noise.
Photo addNoise(const Photo &photo, double sigma, uint64_t seed);

/// Peak signal-to-noise ratio in dB, peak 1: -10 log10(mean squared difference). Infinite for equal photos, which must
/// have one size.
double psnr(const Photo &photo, const Photo &clean);

/// |values - reference| / |reference| in the Euclidean norm, summed in f64. Equal lengths.
double relativeError(std::span<const float> values, std::span<const float> reference);

} // namespace tercet::demo
