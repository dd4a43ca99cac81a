// Damaged files: whatever bytes a file holds, parsing ends with a location inside the file or with a sentence. Seeded
// mutations of valid files; the sanitizer presets make reads out of bounds visible.
#include "FileFormats.h"
#include "unit/io/FileBytes.h"

#include <catch2/catch.hpp>

#include <random>

using namespace tercet;
using namespace tercet::compiler;
using namespace tercet::test;

template <typename Parse> static void mutate(const std::vector<uint8_t> &image, Parse parse) {
  std::mt19937 random(20240607);
  for (int round = 0; round < 20000; ++round) {
    std::vector<uint8_t> damaged = image;
    for (unsigned edits = 1 + random() % 4; edits > 0; --edits) {
      if (random() % 8 == 0)
        damaged.resize(random() % (damaged.size() + 1));
      if (!damaged.empty())
        damaged[random() % damaged.size()] = static_cast<uint8_t>(random());
    }
    Result<TensorLocation> parsed = parse(std::span<const uint8_t>(damaged));
    if (parsed.ok()) {
      REQUIRE(parsed->offset <= damaged.size());
      REQUIRE(parsed->bytes <= damaged.size() - parsed->offset);
      REQUIRE(byteCount(parsed->shape, dtypeSize(parsed->dtype)) == static_cast<int64_t>(parsed->bytes));
    } else {
      REQUIRE_FALSE(parsed.status().message().empty());
    }
  }
}

TEST_CASE("20,000 damaged .npy files are read inside their bounds or refused", "[npy]") {
  mutate(npyImage("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n", 24), parseNpy);
}

TEST_CASE("20,000 damaged .safetensors files are read inside their bounds or refused", "[safetensors]") {
  mutate(safetensorsImage(R"({"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                          R"("b":{"dtype":"I8","shape":[8],"data_offsets":[24,32]}})",
                          32),
         [](std::span<const uint8_t> bytes) { return parseSafetensors(bytes, "a"); });
}
