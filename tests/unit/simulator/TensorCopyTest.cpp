// Tensor copies: every rank, swizzle and element size against the definition, edges, and what encode() refuses.
#include "unit/simulator/AsyncCase.h"

#include <catch2/catch.hpp>

#include <numeric>

using namespace tercet;
using test::AsyncCase;
using test::makeBarrier;
using test::waitFor;

namespace {

using Map = sim::TensorMap;

struct Shape {
  std::vector<uint64_t> sizes;
  std::vector<uint32_t> box;
  std::vector<int> corner;
  Map::Element element = Map::Element::bf16;
  Map::Swizzle swizzle = Map::Swizzle::none;
  std::vector<uint32_t> strides = {1, 1, 1, 1, 1}; ///< of elements
};

Map mapOf(const Shape &shape) {
  Map map;
  map.element = shape.element;
  map.rank = uint32_t(shape.sizes.size());
  map.swizzle = shape.swizzle;
  uint64_t bytes = map.elementBytes();
  for (size_t axis = 0; axis < shape.sizes.size(); ++axis) {
    map.sizes[axis] = shape.sizes[axis];
    map.box[axis] = shape.box[axis];
    map.elementStrides[axis] = shape.strides[axis];
    bytes = axis == 0 ? (bytes * shape.sizes[0] + 15) / 16 * 16 : bytes * shape.sizes[axis];
    if (axis + 1 < shape.sizes.size())
      map.strideBytes[axis] = bytes;
  }
  return map;
}

uint64_t bytesOf(const Map &map) {
  return map.rank == 1 ? (map.sizes[0] * map.elementBytes() + 15) / 16 * 16
                       : map.strideBytes[map.rank - 2] * map.sizes[map.rank - 1];
}

std::string coordinates(const Shape &shape) {
  std::string text;
  for (size_t axis = 0; axis < shape.corner.size(); ++axis)
    text += fmt::format("{}%r{}", axis ? ", " : "", 20 + axis);

  return text;
}
std::string setCoordinates(const Shape &shape) {
  std::string set;
  for (size_t axis = 0; axis < shape.corner.size(); ++axis)
    set += fmt::format("mov.b32 %r{}, {};\n", 20 + axis, shape.corner[axis]);
  return set;
}

// f(byte of the tensor or -1, byte of shared memory) for every byte of the box, by the definition.
template <typename F> void forBytes(const Shape &shape, const Map &map, F f) {
  uint64_t total = map.boxBytes(), size = map.elementBytes();
  for (uint64_t at = 0; at < total; ++at) {
    uint64_t element = at / size, address = at % size;
    bool inside = true;
    for (uint32_t axis = 0; axis < map.rank; ++axis) {
      uint32_t extent = map.extent(axis);
      int64_t step = axis ? map.elementStrides[axis] : 1;
      int64_t x = shape.corner[axis] + int64_t(element % extent) * step;
      element /= extent;
      inside &= x >= 0 && x < int64_t(map.sizes[axis]);
      address += uint64_t(x) * (axis ? map.strideBytes[axis - 1] : size);
    }
    uint64_t chunk = at / 16 % 8, line = at / 128 % 8;
    switch (shape.swizzle) {
    case Map::Swizzle::none:
      break;
    case Map::Swizzle::bytes32:
      chunk ^= line & 1;
      break;
    case Map::Swizzle::bytes64:
      chunk ^= line & 3;
      break;
    case Map::Swizzle::bytes128:
      chunk ^= line;
      break;
    }
    f(inside ? int64_t(address) : -1, at / 128 * 128 + chunk * 16 + at % 16);
  }
}

const std::vector<Shape> shapes = {
    {{100}, {64}, {-8}},
    {{100}, {64}, {64}, Map::Element::u8},
    {{40, 7}, {16, 4}, {8, 5}, Map::Element::f32},
    {{64, 20}, {64, 16}, {0, 8}, Map::Element::bf16, Map::Swizzle::bytes128},
    {{64, 20}, {32, 16}, {32, -3}, Map::Element::f16, Map::Swizzle::bytes64},
    {{64, 20}, {16, 8}, {56, 2}, Map::Element::bf16, Map::Swizzle::bytes32},
    {{32, 9, 3}, {32, 4, 2}, {0, 6, 1}, Map::Element::f32, Map::Swizzle::bytes128},
    {{72, 5, 2, 3}, {64, 4, 1, 1}, {64, 3, 1, 2}, Map::Element::bf16, Map::Swizzle::bytes128},
    {{8, 3, 2, 2, 3}, {8, 2, 2, 1, 2}, {0, 2, 0, 1, 2}, Map::Element::f64},
    {{32, 17}, {32, 8}, {0, 3}, Map::Element::bf16, Map::Swizzle::none, {1, 2, 1, 1, 1}},
    {{32, 17}, {32, 8}, {0, 12}, Map::Element::bf16, Map::Swizzle::bytes64, {1, 3, 1, 1, 1}},
};

} // namespace

TEST_CASE("a tensor load brings the box, swizzled, with zeros outside of the tensor", "[simulator]") {
  for (const Shape &shape : shapes)
    for (bool nan : {false, true}) {
      Map map = mapOf(shape);
      map.fillWithNan = nan;
      uint64_t bytes = map.boxBytes();
      AsyncCase given;
      given.map = map;
      given.in.resize(bytesOf(map));
      for (size_t i = 0; i < given.in.size(); ++i)
        given.in[i] = std::byte(i * 37 + i / 256);
      given.outBytes = (bytes + 511) / 512 * 512;
      given.body =
          makeBarrier(0, 1) + setCoordinates(shape) +
          fmt::format("@%p15 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r1], {};\n"
                      "@%p15 cp.async.bulk.tensor.{}d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
                      "[%r1+1024], [%rd2, {{{}}}], [%r1];\n",
                      bytes, map.rank, coordinates(shape)) +
          waitFor(0, 0, "A") +
          fmt::format(
              "shl.b32 %r3, %r0, 4; add.u32 %r4, %r1, %r3; cvt.u64.u32 %rd3, %r3; add.u64 %rd3, %rd3, %rd1;\n"
              "LOOP: setp.ge.u32 %p1, %r3, {}; @%p1 exit; ld.shared.v4.u32 {{%r5, %r6, %r7, %r8}}, [%r4+1024];\n"
              "st.global.v4.u32 [%rd3], {{%r5, %r6, %r7, %r8}}; add.u32 %r3, %r3, 512; add.u32 %r4, %r4, 512; "
              "add.u64 %rd3, %rd3, 512; bra LOOP;\n",
              bytes);
      for (const sim::LaunchConfig &config : test::adversarialModes({})) {
        given.config = config;
        auto result = test::run(given);
        INFO("rank " << map.rank << ", box bytes " << bytes);
        REQUIRE(result.message() == "ok");
        int wrong = 0;
        forBytes(shape, map, [&](int64_t source, uint64_t at) {
          std::byte expected = source < 0 ? std::byte(nan ? 0xff : 0) : given.in[size_t(source)];
          wrong += result.out[at] != expected;
        });
        CHECK(wrong == 0);
      }
    }
}

TEST_CASE("a tensor store leaves out what lies outside; a reduction adds", "[simulator]") {
  for (const Shape &shape : shapes)
    for (bool reduces : {false, true}) {
      Map map = mapOf(shape);
      if (map.elementBytes() == 8 || map.elementBytes() == 1)
        continue;
      map.element = map.elementBytes() == 2 ? Map::Element::bf16 : Map::Element::u32;
      uint64_t bytes = map.boxBytes();
      AsyncCase given;
      given.map = map;
      given.mapOfOut = true;
      given.outBytes = bytesOf(map);
      given.outStart = std::byte(0);
      given.body =
          setCoordinates(shape) +
          fmt::format("shl.b32 %r3, %r0, 4; add.u32 %r4, %r1, %r3;\n"
                      "LOOP: setp.ge.u32 %p1, %r3, {}; @%p1 bra OVER; mad.lo.u32 %r5, %r3, 3, 16256; prmt.b32 "
                      "%r5, %r5, 0, 0x1010;\n"
                      "st.shared.v4.u32 [%r4+1024], {{%r5, %r5, %r5, %r5}}; add.u32 %r3, %r3, 512; add.u32 %r4, "
                      "%r4, 512; bra LOOP;\nOVER: fence.proxy.async.shared::cta; bar.sync 0; setp.eq.u32 %p0, "
                      "%r0, 0;\n",
                      bytes);
      std::string what = reduces ? "cp.reduce.async.bulk.tensor" : "cp.async.bulk.tensor";
      for (int i = 0; i < (reduces ? 2 : 1); ++i)
        given.body += fmt::format("@%p0 {}.{}d.global.shared::cta{}.tile.bulk_group [%rd2, {{{}}}], [%r1+1024];\n",
                                  what, map.rank, reduces ? ".add" : "", coordinates(shape));
      given.body += "@%p0 cp.async.bulk.commit_group; @%p0 cp.async.bulk.wait_group 0;";
      for (const sim::LaunchConfig &config : test::adversarialModes({})) {
        given.config = config;
        auto result = test::run(given);
        REQUIRE(result.message() == "ok");
        std::vector<std::byte> expected(given.outBytes, std::byte(0));
        uint64_t size = map.elementBytes();
        forBytes(shape, map, [&](int64_t target, uint64_t at) {
          uint32_t half = uint16_t(at / 16 * 16 * 3 + 16256), value = half | half << 16;
          if (reduces)
            value = size == 2 ? (half + 0x80) | (half + 0x80) << 16 : value * 2; // bf16: twice is one exponent more
          if (target >= 0)
            expected[size_t(target)] = std::byte(value >> (8 * (at % 4)));
        });
        CHECK((result.out == expected));
      }
    }
}

TEST_CASE("what a driver refuses, encode() refuses", "[simulator]") {
  auto refused = [](auto change, const char *why) {
    Shape shape{{64, 20}, {64, 16}, {0, 0}, Map::Element::bf16, Map::Swizzle::bytes128};
    Map map = mapOf(shape);
    change(map);
    auto encoded = map.encode();
    REQUIRE(!encoded.ok());
    INFO(encoded.status().message());
    CHECK(encoded.status().code() == Code::invalidArgument);
    CHECK(std::string(encoded.status().message()).find(why) != std::string::npos);
  };
  refused([](Map &map) { map.rank = 6; }, "rank 6");
  refused([](Map &map) { map.base = 8; }, "not a multiple of 16");
  refused([](Map &map) { map.strideBytes[0] = 136; }, "the stride of axis 1 is 136");
  refused([](Map &map) { map.box[1] = 257; }, "the box of axis 1 is 257");
  refused([](Map &map) { map.sizes[0] = 0; }, "the size of axis 0 is 0");
  refused([](Map &map) { map.elementStrides[1] = 9; }, "the element stride of axis 1 is 9");
  refused([](Map &map) { map.box[0] = 63; }, "126 bytes");
  refused([](Map &map) { map.swizzle = Map::Swizzle::bytes64; }, "this swizzle takes 64");
}

TEST_CASE("misused tensor copies are named", "[simulator]") {
  auto failure = [](std::string where, std::string coordinates, bool withMap = true, int rank = 2) {
    AsyncCase given;
    if (withMap)
      given.map = mapOf({{64, 20}, {64, 16}, {0, 0}});
    given.in.resize(2560);
    given.outBytes = 16;
    given.config.block = {1, 1, 1};
    given.body = makeBarrier(0, 1) + "mov.u32 %r20, 0;\n" +
                 fmt::format("cp.async.bulk.tensor.{}d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
                             "[{}], [%rd2, {{{}}}], [%r1];",
                             rank, where, coordinates);
    return test::run(given).message();
  };
  CHECK(failure("%r1+64", "%r20, %r20").find("not a multiple of 128") != std::string::npos);
  CHECK(failure("%r1+65536", "%r20, %r20").find("lie outside") != std::string::npos);
  CHECK(failure("%r1+1024", "%r20, %r20", false).find("not a tensor map") != std::string::npos);
  CHECK(failure("%r1+1024", "%r20", true, 1).find("1 coordinates to a tensor map of rank 2") != std::string::npos);
  CHECK(failure("%r1+1024", "%r20", true, 2).find("with 2 coordinates") != std::string::npos);
}
