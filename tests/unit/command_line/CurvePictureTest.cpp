// The picture of fit: what lies where. Its looks are for the eye; this holds that a picture says what it was given.
#include "CurvePicture.h"

#include "PixelText.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

namespace tercet::cli {
namespace {

using compiler::RgbImage;

int64_t countOf(const RgbImage &image, const Colour &colour, int64_t firstRow = 0, int64_t lastRow = INT64_MAX) {
  int64_t count = 0;
  for (int64_t y = firstRow; y < std::min(lastRow, image.height); ++y)
    for (int64_t x = 0; x < image.width; ++x)
      count += std::equal(colour.begin(), colour.end(), image.at(x, y));
  return count;
}

constexpr Colour firstCurve{0, 114, 178}, secondCurve{230, 159, 0}, boundColour{200, 30, 30};

} // namespace

TEST_CASE("curves, their marks and the bound are drawn", "[fit]") {
  std::vector<PictureCurve> curves = {{"one", {{0.1, 1}, {0.5, 0.1}, {1.1, 0}}, std::pair{0.6, 0.05}},
                                      {"two", {{0.2, 0.9}}, {}}};
  RgbImage image = curvePicture(curves, {"time", "error", 0.05, "bound"});
  CHECK(image.width == 960);
  CHECK(countOf(image, firstCurve) > 500);
  CHECK(countOf(image, secondCurve) > 50);
  CHECK(countOf(image, boundColour) > 500);
  curves.pop_back();
  CHECK(countOf(curvePicture(curves, {"time", "error", 0.05, "bound"}), secondCurve) == 0);
}

TEST_CASE("errors of zero and without end lie on the edges", "[fit]") {
  double infinite = std::numeric_limits<double>::infinity();
  RgbImage image = curvePicture({{"", {{0, infinite}, {1, 0}}, {}}}, {"", "", 0.05, ""});
  CHECK(countOf(image, firstCurve, 55, 70) > 0);   // the upper edge of the plot is row 60
  CHECK(countOf(image, firstCurve, 550, 566) > 0); // the lower one row 560
  CHECK(countOf(image, firstCurve, 570) == 0);
}

TEST_CASE("text is drawn where it is said to be, and ends at its width", "[fit]") {
  RgbImage image = RgbImage::filled(100, 40, 255, 255, 255);
  drawText(image, 10, 10, "m0", {0, 0, 0});
  CHECK(countOf(image, {0, 0, 0}) > 40);
  CHECK(countOf(image, {0, 0, 0}, 0, 10) == 0);
  CHECK(countOf(image, {0, 0, 0}, 10 + textHeight()) == 0);
  for (int64_t y = 0; y < image.height; ++y)
    for (int64_t x = 10 + textWidth("m0"); x < image.width; ++x)
      REQUIRE(*image.at(x, y) == 255);
  drawText(image, 95, 35, "wide text at the edge", {0, 0, 0}); // clipped
}

} // namespace tercet::cli
