// Crop, noise and the two error measures on pictures of a few pixels.
#include "Photo.h"

#include <catch2/catch.hpp>

#include <cmath>

using namespace tercet;
using namespace tercet::demo;

TEST_CASE("a crop is the middle of the picture, in units of the full range", "[demo]") {
  compiler::RgbImage image = compiler::RgbImage::filled(5, 4, 0, 0, 0);
  image.at(1, 1)[0] = 255;
  image.at(2, 2)[2] = 51;
  Result<Photo> photo = cropCentre(image, 2);
  REQUIRE(photo.ok());
  CHECK(photo->values == std::vector<float>{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.2f});
}

TEST_CASE("a picture that is too small is refused with both sizes", "[demo]") {
  Result<Photo> photo = cropCentre(compiler::RgbImage::filled(300, 255, 1, 2, 3), 256);
  REQUIRE(!photo.ok());
  CHECK(photo.status().code() == Code::invalidArgument);
  CHECK(photo.status().message() == "the picture has 300 x 255 pixels; legal are 256 x 256 and more");
}

TEST_CASE("values beyond the range are clamped on the way to a picture, and the others rounded", "[demo]") {
  Photo photo{2, 1, {-0.5f, 1.5f, 0.5f, 0.0f, 1.0f, 0.4985f}};
  CHECK(toRgb(photo).pixels == std::vector<uint8_t>{0, 255, 128, 0, 255, 127});
}

TEST_CASE("a seed fixes the noise; its size is the one asked for", "[demo]") {
  Photo grey{100, 100, std::vector<float>(30000, 0.5f)};
  Photo noisy = addNoise(grey, 0.1, 1);
  CHECK(noisy.values == addNoise(grey, 0.1, 1).values);
  CHECK(noisy.values != addNoise(grey, 0.1, 2).values);
  // 10 log10(1 / 0.1^2) = 20 dB; the variance of 30,000 samples is off by 1.6 % at two standard deviations, 0.07 dB.
  CHECK(psnr(noisy, grey) == Approx(20).margin(0.07));
}

TEST_CASE("PSNR of differences known by hand", "[demo]") {
  Photo clean{1, 1, {0, 0, 0}};
  CHECK(psnr({1, 1, {0.5f, -0.5f, 0.5f}}, clean) == Approx(10 * std::log10(4)));
  CHECK(psnr({1, 1, {1, 0, 0}}, clean) == Approx(10 * std::log10(3)));
  CHECK(std::isinf(psnr(clean, clean)));
}

TEST_CASE("relative error of a vector known by hand", "[demo]") {
  const std::vector<float> reference{3, 4, 0}, values{3, 4, 1};
  CHECK(relativeError(values, reference) == Approx(0.2));
  CHECK(relativeError(reference, reference) == 0);
}
