#include "tercet/Digest.h"

#include <catch2/catch.hpp>

#include <vector>

using namespace tercet;

TEST_CASE("the digest is XXH3-128 with seed 0", "[digest]") {
  CHECK(digestOf(std::string_view("")).hex() == "99aa06d3014798d86001c324468d497f"); // the published value for no input
}

TEST_CASE("hex is read back, and nothing else is", "[digest]") {
  Digest digest = digestOf(std::string_view("tercet")), parsed;
  REQUIRE(Digest::parseHex(digest.hex(), parsed));
  CHECK(parsed == digest);
  CHECK_FALSE(Digest::parseHex("00", parsed));
  CHECK_FALSE(Digest::parseHex(std::string(31, '0') + "g", parsed));
}

TEST_CASE("fields are told apart by their lengths", "[digest]") {
  std::vector<std::string> one = {"ab", "c"}, two = {"a", "bc"}, three = {"abc"};
  CHECK(digestOfFields(one) != digestOfFields(two));
  CHECK(digestOfFields(one) != digestOfFields(three));
}
