// PNG through libpng's simplified interface, which reports by return value and frees what it holds when it fails.
#include "tercet/compiler/PngFile.h"

#include "tercet/AtomicFile.h"

#include <png.h>

#include <cstring>
#include <string_view>

namespace tercet::compiler {
namespace {

/// Four times the pixels of an 8K picture; with it, no size product below can overflow.
constexpr int64_t largestPixelCount = int64_t(1) << 26;
constexpr uint64_t largestFile = uint64_t(1) << 30;
constexpr uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

/// Frees libpng's part of the picture on every way out.
struct PngImage : png_image {
  PngImage() : png_image{} { version = PNG_IMAGE_VERSION; }
  ~PngImage() { png_image_free(this); }
  PngImage(const PngImage &) = delete;
  PngImage &operator=(const PngImage &) = delete;
};

} // namespace

RgbImage RgbImage::filled(int64_t width, int64_t height, uint8_t red, uint8_t green, uint8_t blue) {
  RgbImage image{width, height, std::vector<uint8_t>(static_cast<size_t>(width * height * 3))};
  for (size_t i = 0; i < image.pixels.size(); i += 3) {
    image.pixels[i] = red;
    image.pixels[i + 1] = green;
    image.pixels[i + 2] = blue;
  }
  return image;
}

Result<RgbImage> readPng(const std::string &path) {
  TERCET_TRY(std::vector<uint8_t> bytes, readWholeFile(path, largestFile));
  if (bytes.size() < sizeof signature || std::memcmp(bytes.data(), signature, sizeof signature) != 0)
    return Status::make(Code::invalidArgument, "{}: this is no PNG file", path);
  PngImage png;
  if (!png_image_begin_read_from_memory(&png, bytes.data(), bytes.size()))
    return Status::make(Code::invalidArgument, "{}: cannot read the picture: {}", path, std::string_view(png.message));
  if (int64_t(png.width) * int64_t(png.height) > largestPixelCount)
    return Status::make(Code::invalidArgument, "{}: the picture has {} x {} pixels; legal are up to {} in all", path,
                        png.width, png.height, largestPixelCount);
  png.format = PNG_FORMAT_RGB;
  RgbImage image{png.width, png.height, std::vector<uint8_t>(PNG_IMAGE_SIZE(png))};
  const png_color black = {0, 0, 0};
  if (!png_image_finish_read(&png, &black, image.pixels.data(), 0, nullptr))
    return Status::make(Code::invalidArgument, "{}: cannot read the picture: {}", path, std::string_view(png.message));
  return image;
}

Status writePng(const std::string &path, const RgbImage &image) {
  TERCET_CHECK(image.width > 0 && image.height > 0 && image.width * image.height <= largestPixelCount &&
                   image.pixels.size() == static_cast<size_t>(image.width * image.height * 3),
               "a picture has the pixels that its size promises");
  PngImage png;
  png.width = static_cast<png_uint_32>(image.width);
  png.height = static_cast<png_uint_32>(image.height);
  png.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
  std::vector<uint8_t> bytes(size);
  if (!png_image_write_to_memory(&png, bytes.data(), &size, 0, image.pixels.data(), 0, nullptr))
    return Status::make(Code::internal, "{}: libpng cannot encode the picture: {}", path,
                        std::string_view(png.message));
  bytes.resize(size);
  return writeFileAtomically(path, bytes);
}

} // namespace tercet::compiler
