// Colours of classes, shrinking, and panels side by side.
#include "Pictures.h"

#include <catch2/catch.hpp>

using namespace tercet;
using namespace tercet::demo;
using compiler::RgbImage;

static std::vector<uint8_t> pixel(const RgbImage &image, int64_t x, int64_t y) {
  return {image.at(x, y), image.at(x, y) + 3};
}

TEST_CASE("each class has its colour, at its row and column", "[demo]") {
  const std::vector<int8_t> classes{1, 0, -1, -1, 1, 0};
  RgbImage image = classPicture(classes, 2, 3);
  REQUIRE(image.width == 3);
  REQUIRE(image.height == 2);
  const std::vector<uint8_t> yellow{255, 214, 64}, blue{52, 96, 168}, black{0, 0, 0};
  CHECK(pixel(image, 0, 0) == yellow);
  CHECK(pixel(image, 1, 0) == blue);
  CHECK(pixel(image, 2, 0) == black);
  CHECK(pixel(image, 0, 1) == black);
  CHECK(pixel(image, 2, 1) == blue);
}

TEST_CASE("shrinking averages squares, rounded", "[demo]") {
  RgbImage image = RgbImage::filled(4, 2, 10, 20, 30);
  image.at(0, 0)[0] = 11;
  image.at(1, 1)[0] = 11;
  image.at(3, 1)[2] = 255;
  RgbImage small = shrink(image, 2);
  REQUIRE(small.width == 2);
  REQUIRE(small.height == 1);
  CHECK(pixel(small, 0, 0) == std::vector<uint8_t>{11, 20, 30}); // 10.5 up
  CHECK(pixel(small, 1, 0) == std::vector<uint8_t>{10, 20, 86}); // 86.25 down
}

TEST_CASE("panels stand side by side with a white gap", "[demo]") {
  RgbImage whole = sideBySide({RgbImage::filled(2, 3, 1, 1, 1), RgbImage::filled(4, 3, 2, 2, 2)});
  REQUIRE(whole.width == 2 + 8 + 4);
  REQUIRE(whole.height == 3);
  for (int64_t y = 0; y < 3; ++y)
    for (int64_t x = 0; x < 14; ++x) {
      CAPTURE(x, y);
      CHECK(pixel(whole, x, y) == std::vector<uint8_t>(3, x < 2 ? 1 : x < 10 ? 255 : 2));
    }
}
