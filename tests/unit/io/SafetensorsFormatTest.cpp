// The .safetensors header: names, offsets that tile the file, and refusals.
#include "FileFormats.h"
#include "unit/io/FileBytes.h"

#include <catch2/catch.hpp>

using namespace tercet;
using namespace tercet::compiler;
using namespace tercet::test;

static std::string refusal(const std::vector<uint8_t> &image, const std::string &name = "") {
  Result<TensorLocation> parsed = parseSafetensors(image, name);
  REQUIRE_FALSE(parsed.ok());
  CHECK(parsed.status().code() == Code::invalidArgument);
  return parsed.status().message();
}

static std::string entry(const std::string &dtype, const std::string &shape, const std::string &offsets) {
  return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

TEST_CASE("tensors of a .safetensors file are found by name, in any order", "[safetensors]") {
  auto image = safetensorsImage(R"({"__metadata__":{"format":"pt"},"v":)" + entry("I8", "[4]", "[12,16]") + R"(,"q":)" +
                                    entry("BF16", "[2,3]", "[0,12]") + "}   ",
                                16);
  auto q = parseSafetensors(image, "q");
  REQUIRE(q.ok());
  CHECK(q->dtype == DType::bf16);
  CHECK(q->shape == std::vector<int64_t>{2, 3});
  CHECK(image[q->offset] == 0);
  auto v = parseSafetensors(image, "v");
  REQUIRE(v.ok());
  CHECK(v->dtype == DType::i8);
  CHECK(image[v->offset] == 12);
  CHECK_THAT(refusal(image), Catch::Contains("holds 2 tensors; name one as FILE:TENSOR (q, v)"));
  CHECK_THAT(refusal(image, "k"), Catch::Contains("no tensor 'k'; it has q, v"));
}

TEST_CASE("a file of one tensor needs no name", "[safetensors]") {
  CHECK(parseSafetensors(safetensorsImage(R"({"q":)" + entry("F32", "[2]", "[0,8]") + "}", 8), "").ok());
}

TEST_CASE("offsets that lie are refused", "[safetensors]") {
  auto [header, why] = GENERATE(table<std::string, std::string>(
      {{R"({"a":)" + entry("F32", "[2]", "[0,8]") + R"(,"b":)" + entry("F32", "[2]", "[4,12]") + "}", "overlap"},
       {R"({"a":)" + entry("F32", "[2]", "[0,8]") + R"(,"b":)" + entry("F32", "[2]", "[12,20]") + "}", "holes"},
       {R"({"a":)" + entry("F32", "[2]", "[0,8]") + "}", "end at byte 8 of 16"},
       {R"({"a":)" + entry("F32", "[8]", "[0,32]") + "}", "end at byte 32 of 16"},
       {R"({"a":)" + entry("F32", "[5]", "[0,16]") + "}", "does not fill its data_offsets [0, 16]"},
       {R"({"a":)" + entry("F32", "[4611686018427387904,8]", "[0,16]") + "}", "does not fill"},
       {R"({"a":)" + entry("F32", "[4]", "[16,0]") + "}", "two ascending sizes"},
       {R"({"a":)" + entry("F32", "[4]", "[-16,0]") + "}", "two ascending sizes"},
       {R"({"a":)" + entry("F32", "[4]", "[0,18446744073709551615]") + "}", "two ascending sizes"},
       {R"({"a":)" + entry("F32", "[4]", "[0,16.0]") + "}", "two ascending sizes"},
       {R"({"a":)" + entry("F32", "[-4]", "[0,16]") + "}", "none negative"}}));
  CAPTURE(header);
  CHECK_THAT(refusal(safetensorsImage(header, 16), "a"), Catch::Contains(why));
}

TEST_CASE("headers that are not the format's JSON are refused", "[safetensors]") {
  auto [header, why] = GENERATE(table<std::string, std::string>(
      {{"", "no JSON object"},
       {"[1]", "no JSON object"},
       {R"({"a":)", "no JSON object"},
       {R"({"a":3})", "must have a dtype"},
       {R"({"a":{"dtype":3,"shape":[4],"data_offsets":[0,16]}})", "must have a dtype"},
       {R"({"a":{"dtype":"F32","shape":[[4]],"data_offsets":[0,16]}})", "deeper than 3"},
       {R"({"a":)" + entry("F32", "[4]", "[0,16]") + R"(,"a":)" + entry("F32", "[4]", "[0,16]") + "}", "occurs twice"},
       {"{\"\xff\":3}", "no JSON object"},
       {"{}", "end at byte 0 of 16"}}));
  CAPTURE(header);
  CHECK_THAT(refusal(safetensorsImage(header, 16), "a"), Catch::Contains(why));
}

TEST_CASE("a header's length is bounded by the file and by 16 MiB", "[safetensors]") {
  CHECK_THAT(refusal(bytesOf("abc")), Catch::Contains("ends inside its length"));
  CHECK_THAT(refusal(safetensorsImage("{}", 0, 100)), Catch::Contains("claims 100 bytes, the file has 2 more"));
  CHECK_THAT(refusal(safetensorsImage("{}", 0, INT64_MAX)), Catch::Contains("at most 16777216 are read"));
}

TEST_CASE("dtypes and shapes that no tensor of Tercet has are refused", "[safetensors]") {
  CHECK_THAT(refusal(safetensorsImage(R"({"a":)" + entry("I64", "[2]", "[0,16]") + "}", 16)),
             Catch::Contains("has dtype I64; legal are F32, F16, BF16, F64, I32 and I8"));
  CHECK_THAT(refusal(safetensorsImage(R"({"a":)" + entry("f32", "[4]", "[0,16]") + "}", 16)),
             Catch::Contains("has dtype f32; legal are"));
  CHECK_THAT(refusal(safetensorsImage(R"({"a":)" + entry("F32", "[0]", "[0,0]") + "}", 0)),
             Catch::Contains("every size must be at least 1"));
}
