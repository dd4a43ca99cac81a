// ldmatrix and stmatrix: 8 x 8 tiles of 16-bit elements between shared memory and fragments, .trans or not.
//
// Lane l of a fragment holds row l / 4, columns 2 (l % 4) and one more; lanes 8 j to 8 j + 7 give the row addresses of
// tile j. Transposed, rows and columns of the tile change places.
#include "core/AddressSpace.h"
#include "core/Cta.h"
#include "core/Traffic.h"
#include "families/Families.h"

#include <fmt/format.h>

#include <cstring>

namespace tercet::sim {

namespace {

constexpr uint32_t rowBytes = 16;
using Tile = std::array<std::array<uint16_t, 8>, 8>;

uint64_t rowAddress(Warp &warp, const Instruction &in, int lane) {
  uint64_t address = warp.addressOf(in.address[0], lane);
  if (address % rowBytes)
    Site{warp, in, lane}.fail(
        fmt::format("takes a row at shared address {:#x}, which is not a multiple of {}", address, rowBytes));
  return address;
}

void count(Warp &warp, const LaneAddresses &addresses, int tiles) {
  addShared(warp.cta.counters().report.sharedMatrix, addresses, tiles == 4 ? allLanes : (Mask{1} << (8 * tiles)) - 1,
            rowBytes);
}

// vector: tiles. flag: transposed.
void loadMatrix(Warp &warp, const Instruction &in, Mask mask) {
  if (!warp.gather(in, mask, allLanes))
    return;
  LaneAddresses addresses;
  for (int j = 0; j < in.vector; ++j) {
    Tile tile;
    for (int row = 0; row < 8; ++row) {
      int lane = 8 * j + row;
      uint64_t address = addresses[size_t(lane)] = rowAddress(warp, in, lane);
      std::memcpy(tile[size_t(row)].data(), readable(Site{warp, in, lane}, Space::shared, address, rowBytes), rowBytes);
    }
    uint32_t *to = warp.word(in.to[j]);
    for (int lane = 0; lane < warpLanes; ++lane) {
      size_t row = size_t(lane / 4), column = size_t(lane % 4) * 2;
      to[lane] = in.flag ? uint32_t(tile[column][row]) | uint32_t(tile[column + 1][row]) << 16
                         : uint32_t(tile[row][column]) | uint32_t(tile[row][column + 1]) << 16;
    }
  }
  count(warp, addresses, in.vector);
}

void storeMatrix(Warp &warp, const Instruction &in, Mask mask) {
  if (!warp.gather(in, mask, allLanes))
    return;
  LaneAddresses addresses;
  for (int j = 0; j < in.vector; ++j) {
    Tile tile;
    const uint32_t *from = warp.word(in.from[j]);
    for (int lane = 0; lane < warpLanes; ++lane) {
      size_t row = size_t(lane / 4), column = size_t(lane % 4) * 2;
      (in.flag ? tile[column][row] : tile[row][column]) = uint16_t(from[lane]);
      (in.flag ? tile[column + 1][row] : tile[row][column + 1]) = uint16_t(from[lane] >> 16);
    }
    for (int row = 0; row < 8; ++row) {
      int lane = 8 * j + row;
      uint64_t address = addresses[size_t(lane)] = rowAddress(warp, in, lane);
      std::memcpy(writable(Site{warp, in, lane}, Space::shared, address, rowBytes), tile[size_t(row)].data(), rowBytes);
    }
  }
  count(warp, addresses, in.vector);
}

uint8_t takeShape(Decoding &d) {
  if (!d.take("aligned") || !d.take("m8n8") || !d.take("b16"))
    d.fail("exists here as .aligned.m8n8 of .b16");
  if (!d.take("shared") && !d.take("shared::cta"))
    d.fail("takes shared memory");
  d.in.flag = d.take("trans");
  return d.takeNeeded<uint8_t>({{"x1", 1}, {"x2", 2}, {"x4", 4}}, "number of tiles");
}

void decodeLoad(Decoding &d) {
  d.in.vector = takeShape(d);
  d.expectOperands(2);
  d.toList(0, Type::b32, d.in.vector);
  d.address(1, 0, Space::shared);
  d.run(loadMatrix);
}

void decodeStore(Decoding &d) {
  d.in.vector = takeShape(d);
  d.expectOperands(2);
  d.address(0, 0, Space::shared);
  d.fromList(1, Type::b32, d.in.vector);
  d.run(storeMatrix);
}

constexpr Rule rules[] = {{"ldmatrix.sync", decodeLoad}, {"stmatrix.sync", decodeStore}};

} // namespace

Rules matrixMoveRules() { return rules; }

} // namespace tercet::sim
