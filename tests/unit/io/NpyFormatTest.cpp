// The .npy header: what is read, and every way in which it may be wrong.
#include "FileFormats.h"
#include "unit/io/FileBytes.h"

#include <catch2/catch.hpp>

using namespace tercet;
using namespace tercet::compiler;
using namespace tercet::test;

static std::string refusal(const std::vector<uint8_t> &image) {
  Result<TensorLocation> parsed = parseNpy(image);
  REQUIRE_FALSE(parsed.ok());
  CHECK(parsed.status().code() == Code::invalidArgument);
  return parsed.status().message();
}

TEST_CASE("versions 1, 2 and 3 of .npy are read", "[npy]") {
  for (int major : {1, 2, 3}) {
    CAPTURE(major);
    auto parsed = parseNpy(npyImage("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }  \n", 24, major));
    REQUIRE(parsed.ok());
    CHECK(parsed->dtype == DType::f32);
    CHECK(parsed->shape == std::vector<int64_t>{2, 3});
    CHECK_FALSE(parsed->fortranOrder);
    CHECK(parsed->bytes == 24);
  }
}

TEST_CASE("element types of .npy map to dtypes", "[npy]") {
  auto [descr, dtype] = GENERATE(table<std::string, DType>(
      {{"<f2", DType::f16}, {"<f4", DType::f32}, {"<f8", DType::f64}, {"|i1", DType::i8}, {"<i4", DType::i32}}));
  CAPTURE(descr);
  auto parsed =
      parseNpy(npyImage("{'shape': (1,), \"descr\": \"" + descr + "\", 'fortran_order': True}", dtypeSize(dtype)));
  REQUIRE(parsed.ok());
  CHECK(parsed->dtype == dtype);
  CHECK(parsed->fortranOrder);
}

TEST_CASE("a rank 0 .npy holds one element", "[npy]") {
  auto parsed = parseNpy(npyImage("{'descr': '<f8', 'fortran_order': False, 'shape': ()}", 8));
  REQUIRE(parsed.ok());
  CHECK(parsed->shape.empty());
}

TEST_CASE("element types that .npy cannot give are refused by name", "[npy]") {
  auto [descr, why] = GENERATE(table<std::string, std::string>({{"'>f4'", "big-endian"},
                                                                {"'<i8'", "legal are f2, f4, f8, i1 and i4"},
                                                                {"'|V2'", ".npy has no bf16"},
                                                                {"[('x', '<f4')]", "structured"},
                                                                {"'|O'", "legal are"}}));
  CHECK_THAT(refusal(npyImage("{'descr': " + descr + ", 'fortran_order': False, 'shape': (2,), }", 8)),
             Catch::Contains(why));
}

TEST_CASE("a lying or truncated .npy is refused with both values", "[npy]") {
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  CHECK_THAT(refusal(npyImage(good, 23)), Catch::Contains("needs 24 bytes, the file holds 23"));
  CHECK_THAT(refusal(npyImage(good, 25)), Catch::Contains("needs 24 bytes, the file holds 25"));
  CHECK_THAT(refusal(npyImage(good, 0, 1, 60000)), Catch::Contains("claims 60000 bytes, the file has"));
  CHECK_THAT(refusal(npyImage(good, 0, 2, 0xffffffff)), Catch::Contains("at most 65536 are read"));
  CHECK_THAT(refusal(npyImage(good, 24, 4)), Catch::Contains("version 4.0 is not read"));
  CHECK_THAT(refusal(bytesOf("PNG")), Catch::Contains("magic"));
  CHECK_THAT(refusal(bytesOf(std::string("\x93NUMPY\x01", 7))), Catch::Contains("the file ends inside it"));
}

TEST_CASE("shapes out of range are refused", "[npy]") {
  auto [shape, why] = GENERATE(
      table<std::string, std::string>({{"(0, 3)", "every size must be at least 1"},
                                       {"(-1, 3)", "negative size -1"},
                                       {"(1, 1, 1, 1, 3)", "rank 5"},
                                       {"(4611686018427387904, 4611686018427387904)", "larger than any memory"},
                                       {"(99999999999999999999,)", "no whole number of 64 bits"},
                                       {"(2.5,)", "was expected"},
                                       {"2", "'(' was expected"}}));
  CAPTURE(shape);
  CHECK_THAT(refusal(npyImage("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + "}", 12)),
             Catch::Contains(why));
}

TEST_CASE("a header that is no dictionary of the three keys is refused", "[npy]") {
  auto [header, why] = GENERATE(table<std::string, std::string>(
      {{"", "'{' was expected"},
       {"{}", "must have the keys"},
       {"{'descr': '<f4', 'descr': '<f4'}", "occurs twice"},
       {"{'descr': '<f4', 'extra': 1}", "'extra' is unknown"},
       {"{'descr': '<f4", "quote is never closed"},
       {"{'descr': '<f4', 'fortran_order': maybe, 'shape': (3,)}", "True or False"},
       {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,)} trailing", "text follows"}}));
  CAPTURE(header);
  CHECK_THAT(refusal(npyImage(header, 12)), Catch::Contains(why));
}
