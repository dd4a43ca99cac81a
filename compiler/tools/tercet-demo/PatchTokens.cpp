// Patches in token order. The factor 2/h^2 is split evenly between q and k, which keeps both in the range of a few
// units.
#include "PatchTokens.h"

#include <array>
#include <cmath>

namespace tercet::demo {
namespace {

constexpr int64_t patchRadius = 2, patchRadiusSquared = 5;

std::vector<Pixel> patchOffsets() {
  std::vector<Pixel> offsets;
  for (int64_t y = -patchRadius; y <= patchRadius; ++y)
    for (int64_t x = -patchRadius; x <= patchRadius; ++x)
      if (x * x + y * y <= patchRadiusSquared)
        offsets.push_back({x, y});
  TERCET_CHECK(static_cast<int64_t>(offsets.size()) * channels + 1 == headDim, "patch and key norm fill the features");
  return offsets;
}

/// Mirrors about the border pixel: -1 is 1, size is size - 2.
int64_t mirrored(int64_t place, int64_t size) {
  return place < 0 ? -place : place >= size ? 2 * size - 2 - place : place;
}

std::array<double, channels> meanColour(const Photo &photo) {
  std::array<double, channels> mean{};
  for (size_t i = 0; i < photo.values.size(); ++i)
    mean[i % channels] += photo.values[i];
  for (double &channel : mean)
    channel /= static_cast<double>(photo.width * photo.height);
  return mean;
}

} // namespace

Pixel pixelOfToken(int64_t token, int64_t width) {
  int64_t tile = token / blockTokens, inTile = token % blockTokens, tilesPerRow = width / tileSide;
  return {tile % tilesPerRow * tileSide + inTile % tileSide, tile / tilesPerRow * tileSide + inTile / tileSide};
}

PatchTokens patchTokens(const Photo &photo, double bandwidth) {
  TERCET_CHECK(photo.width % tileSide == 0 && photo.height % tileSide == 0, "the photo is whole tiles");
  const std::vector<Pixel> offsets = patchOffsets();
  const std::array<double, channels> mean = meanColour(photo);
  const double split = std::sqrt(2 / bandwidth);
  PatchTokens tokens;
  tokens.count = photo.width * photo.height;
  tokens.q.reserve(static_cast<size_t>(tokens.count * headDim));
  tokens.k.reserve(static_cast<size_t>(tokens.count * headDim));
  for (int64_t token = 0; token < tokens.count; ++token) {
    Pixel centre = pixelOfToken(token, photo.width);
    double squares = 0;
    for (Pixel offset : offsets) {
      const float *pixel =
          photo.at(mirrored(centre.x + offset.x, photo.width), mirrored(centre.y + offset.y, photo.height));
      for (size_t c = 0; c < channels; ++c) {
        double feature = pixel[c] - mean[c];
        squares += feature * feature;
        tokens.q.push_back(static_cast<float>(split * feature));
        tokens.k.push_back(static_cast<float>(split * feature));
      }
    }
    tokens.q.push_back(1);
    tokens.k.push_back(static_cast<float>(-squares / bandwidth));
    const float *value = photo.at(centre.x, centre.y);
    tokens.v.insert(tokens.v.end(), value, value + channels);
  }
  return tokens;
}

Photo photoFromTokens(const std::vector<float> &values, int64_t width, int64_t height) {
  TERCET_CHECK(static_cast<int64_t>(values.size()) == width * height * channels, "a value for every pixel");
  Photo photo{width, height, std::vector<float>(values.size())};
  for (int64_t token = 0; token < width * height; ++token) {
    Pixel pixel = pixelOfToken(token, width);
    for (int64_t c = 0; c < channels; ++c)
      photo.at(pixel.x, pixel.y)[c] = values[static_cast<size_t>(token * channels + c)];
  }
  return photo;
}

} // namespace tercet::demo
