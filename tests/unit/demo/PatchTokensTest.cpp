// Features whose products are patch distances, and an order of tokens that goes tile by tile.
#include "PatchTokens.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <set>

using namespace tercet;
using namespace tercet::demo;

namespace {

Photo smallPhoto(int64_t width, int64_t height) {
  Photo photo{width, height, std::vector<float>(static_cast<size_t>(width * height * channels), 0.5f)};
  return addNoise(photo, 0.2, 7);
}

/// Squared distance of the patches around two pixels, straight from the definition.
double patchDistance(const Photo &photo, Pixel a, Pixel b) {
  auto value = [&](int64_t x, int64_t y, int64_t c) {
    auto inside = [](int64_t place, int64_t size) {
      return place < 0 ? -place : place > size - 1 ? 2 * (size - 1) - place : place;
    };
    return double(photo.at(inside(x, photo.width), inside(y, photo.height))[c]);
  };
  double sum = 0;
  for (int64_t dy = -2; dy <= 2; ++dy)
    for (int64_t dx = -2; dx <= 2; ++dx)
      if (std::abs(dx) + std::abs(dy) < 4) // all of the 5 x 5 square but its corners
        for (int64_t c = 0; c < channels; ++c)
          sum += std::pow(value(a.x + dx, a.y + dy, c) - value(b.x + dx, b.y + dy, c), 2);
  return sum;
}

double score(const PatchTokens &tokens, int64_t query, int64_t key) {
  double sum = 0;
  for (int64_t f = 0; f < headDim; ++f)
    sum +=
        double(tokens.q[static_cast<size_t>(query * headDim + f)]) * tokens.k[static_cast<size_t>(key * headDim + f)];
  return sum;
}

} // namespace

TEST_CASE("64 tokens are an 8 x 8 tile, and every pixel is one token", "[demo]") {
  const int64_t width = 24, height = 16;
  std::set<std::pair<int64_t, int64_t>> seen;
  for (int64_t token = 0; token < width * height; ++token) {
    Pixel pixel = pixelOfToken(token, width);
    seen.insert({pixel.x, pixel.y});
    Pixel first = pixelOfToken(token / 64 * 64, width);
    CAPTURE(token);
    CHECK(pixel.x - first.x == token % 64 % 8);
    CHECK(pixel.y - first.y == token % 64 / 8);
    CHECK(first.x % 8 == 0);
    CHECK(first.y % 8 == 0);
  }
  CHECK(seen.size() == size_t(width * height));
  CHECK(pixelOfToken(64, width).x == 8);
  CHECK(pixelOfToken(3 * 64, width).y == 8);
}

TEST_CASE("a score is minus the patch distance over h^2, up to a constant of the query", "[demo]") {
  const Photo photo = smallPhoto(16, 8);
  const double bandwidth = 0.3;
  const PatchTokens tokens = patchTokens(photo, bandwidth);
  REQUIRE(tokens.count == 128);
  REQUIRE(tokens.q.size() == 128 * 64);
  for (int64_t query : {int64_t(0), int64_t(37), int64_t(127)}) { // corners of the photo, and a pixel inside
    const Pixel at = pixelOfToken(query, photo.width);
    const double constant = score(tokens, query, query); // the distance of a patch to itself is 0
    for (int64_t key = 0; key < tokens.count; ++key) {
      CAPTURE(query, key);
      const double expected = -patchDistance(photo, at, pixelOfToken(key, photo.width)) / bandwidth;
      // Features are rounded to f32, 6e-8 of terms that add up to less than 100.
      CHECK(score(tokens, query, key) - constant == Approx(expected).margin(1e-5));
    }
  }
}

TEST_CASE("a brighter photo has the same features", "[demo]") {
  Photo photo = smallPhoto(8, 8), brighter = photo;
  for (float &value : brighter.values)
    value += 0.25f;
  PatchTokens tokens = patchTokens(photo, 0.3), shifted = patchTokens(brighter, 0.3);
  for (size_t i = 0; i < tokens.k.size(); ++i)
    CHECK(shifted.k[i] == Approx(tokens.k[i]).margin(1e-5)); // the sum rounds to f32
}

TEST_CASE("values are the pixels in token order, and go back to their places", "[demo]") {
  const Photo photo = smallPhoto(16, 24);
  const PatchTokens tokens = patchTokens(photo, 0.3);
  CHECK(tokens.v[64 * 3] == photo.at(8, 0)[0]);
  CHECK(photoFromTokens(tokens.v, 16, 24).values == photo.values);
}
