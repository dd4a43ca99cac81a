// Sums run in f64: 196,608 squares of noise lose four digits in f32.
#include "Photo.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace tercet::demo {

Result<Photo> cropCentre(const compiler::RgbImage &image, int64_t side) {
  if (image.width < side || image.height < side)
    return Status::make(Code::invalidArgument, "the picture has {} x {} pixels; legal are {} x {} and more",
                        image.width, image.height, side, side);
  int64_t left = (image.width - side) / 2, top = (image.height - side) / 2;
  Photo photo{side, side, std::vector<float>(static_cast<size_t>(side * side * channels))};
  for (int64_t y = 0; y < side; ++y)
    for (int64_t x = 0; x < side; ++x)
      for (int64_t c = 0; c < channels; ++c)
        photo.at(x, y)[c] = static_cast<float>(image.at(left + x, top + y)[c]) / 255.0f;
  return photo;
}

compiler::RgbImage toRgb(const Photo &photo) {
  compiler::RgbImage image{photo.width, photo.height, std::vector<uint8_t>(photo.values.size())};
  std::transform(photo.values.begin(), photo.values.end(), image.pixels.begin(),
                 [](float value) { return static_cast<uint8_t>(std::lround(std::clamp(value, 0.0f, 1.0f) * 255.0f)); });
  return image;
}

Photo addNoise(const Photo &photo, double sigma, uint64_t seed) {
  std::mt19937_64 bits(seed);
  std::normal_distribution<double> gaussian(0, sigma);
  Photo noisy = photo;
  for (float &value : noisy.values)
    value = static_cast<float>(value + gaussian(bits));
  return noisy;
}

double psnr(const Photo &photo, const Photo &clean) {
  TERCET_CHECK(photo.values.size() == clean.values.size(), "photos of one size");
  double squares = 0;
  for (size_t i = 0; i < clean.values.size(); ++i) {
    double difference = double(photo.values[i]) - double(clean.values[i]);
    squares += difference * difference;
  }
  return -10 * std::log10(squares / static_cast<double>(clean.values.size()));
}

double relativeError(std::span<const float> values, std::span<const float> reference) {
  TERCET_CHECK(values.size() == reference.size(), "two lists of one length");
  double difference = 0, norm = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    difference += (double(values[i]) - reference[i]) * (double(values[i]) - reference[i]);
    norm += double(reference[i]) * reference[i];
  }
  return std::sqrt(difference / norm);
}

} // namespace tercet::demo
