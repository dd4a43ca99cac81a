// Pictures on disk: round trip, the other kinds of PNG, and files that are damaged, lie or cannot be written.
#include "tercet/compiler/PngFile.h"
#include "tercet/AtomicFile.h"
#include "unit/runtime/TempDir.h"

#include <catch2/catch.hpp>
#include <png.h>
#include <zlib.h>

#include <cstring>

using namespace tercet;
using namespace tercet::compiler;

namespace {

RgbImage gradient(int64_t width, int64_t height) {
  RgbImage image = RgbImage::filled(width, height, 0, 0, 0);
  for (size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = static_cast<uint8_t>(i * 7);
  return image;
}

/// Writes one pixel of another kind of PNG through libpng itself.
void writeOnePixel(const std::string &path, png_uint_32 format, const void *pixel) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = png.height = 1;
  png.format = format;
  REQUIRE(png_image_write_to_file(&png, path.c_str(), 0, pixel, 0, nullptr) != 0);
}

/// A header that promises this many pixels, with a right checksum, and the beginning of data.
std::vector<uint8_t> headerOf(uint32_t width, uint32_t height) {
  std::vector<uint8_t> bytes{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R'};
  auto append = [&](uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<uint8_t>(value >> shift));
  };
  append(width);
  append(height);
  bytes.insert(bytes.end(), {8, 2, 0, 0, 0}); // 8-bit RGB
  append(static_cast<uint32_t>(crc32(0, bytes.data() + 12, 17)));
  bytes.insert(bytes.end(), {0, 0, 0, 2, 'I', 'D', 'A', 'T', 0x78, 0x9c});
  return bytes;
}

std::string messageOfReading(const std::string &path) {
  Result<RgbImage> image = readPng(path);
  REQUIRE(!image.ok());
  CHECK(image.status().code() == Code::invalidArgument);
  return image.status().message();
}

} // namespace

TEST_CASE("a picture written is the picture read", "[png]") {
  test::TempDir folder;
  std::string path = folder.path() / "a.png";
  RgbImage image = gradient(19, 7);
  REQUIRE(writePng(path, image).ok());
  Result<RgbImage> read = readPng(path);
  REQUIRE(read.ok());
  CHECK(read->width == 19);
  CHECK(read->height == 7);
  CHECK(read->pixels == image.pixels);
}

TEST_CASE("grey, transparent and palette pictures become RGB", "[png]") {
  test::TempDir folder;
  std::string path = folder.path() / "a.png";
  const uint8_t grey = 77, half[4] = {255, 255, 255, 0};
  writeOnePixel(path, PNG_FORMAT_GRAY, &grey);
  CHECK(readPng(path)->pixels == std::vector<uint8_t>{77, 77, 77});
  writeOnePixel(path, PNG_FORMAT_RGBA, half);
  CHECK(readPng(path)->pixels == std::vector<uint8_t>{0, 0, 0}); // over black

  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = png.height = 1;
  png.format = PNG_FORMAT_RGB_COLORMAP;
  png.colormap_entries = 2;
  const uint8_t palette[6] = {1, 2, 3, 40, 50, 60}, index = 1;
  REQUIRE(png_image_write_to_file(&png, path.c_str(), 0, &index, 0, palette) != 0);
  CHECK(readPng(path)->pixels == std::vector<uint8_t>{40, 50, 60});
}

TEST_CASE("what is no PNG is refused by name", "[png]") {
  test::TempDir folder;
  std::string path = folder.path() / "a.png";
  const std::string text = "JFIF, and not a PNG at all";
  REQUIRE(writeFileAtomically(path, {reinterpret_cast<const uint8_t *>(text.data()), text.size()}).ok());
  CHECK(messageOfReading(path) == path + ": this is no PNG file");
  REQUIRE(writeFileAtomically(path, {}).ok());
  CHECK(messageOfReading(path) == path + ": this is no PNG file");
}

TEST_CASE("a picture cut short anywhere is refused", "[png]") {
  test::TempDir folder;
  std::string path = folder.path() / "a.png";
  REQUIRE(writePng(path, gradient(40, 40)).ok());
  std::vector<uint8_t> whole = *readWholeFile(path, 1 << 20);
  // Up to the last chunk: a missing end mark after complete data is no loss.
  for (size_t length = 0; length < whole.size() - 16; length += 13) {
    CAPTURE(length);
    REQUIRE(writeFileAtomically(path, {whole.data(), length}).ok());
    CHECK(messageOfReading(path).starts_with(path + ": "));
  }
}

TEST_CASE("a header that promises too much is refused before memory is taken", "[png]") {
  test::TempDir folder;
  std::string path = folder.path() / "a.png";
  REQUIRE(writeFileAtomically(path, headerOf(100000, 100000)).ok());
  CHECK(messageOfReading(path) == path + ": the picture has 100000 x 100000 pixels; legal are up to 67108864 in all");
}

TEST_CASE("a file that is not there is named, and so is a folder that is not", "[png]") {
  test::TempDir folder;
  std::string missing = folder.path() / "nowhere" / "a.png";
  CHECK(messageOfReading(missing).find(missing) != std::string::npos);
  Status written = writePng(missing, gradient(2, 2));
  CHECK(written.code() == Code::invalidArgument);
  CHECK(written.message().find(missing) != std::string::npos);
}
