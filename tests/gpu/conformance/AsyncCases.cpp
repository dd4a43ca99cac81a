// mbarriers, bulk copies and reductions, tensor copies with swizzle and edges (sm_90).
#include "Case.h"

namespace tercet::conformance {

namespace {

using Map = rt::TensorMapDescription;
using Swizzle = PlanTensorMap::Swizzle;

const std::string makeBarrier = "setp.eq.u32 %p9, %r0, 0; @%p9 mbarrier.init.shared::cta.b64 [%r1], 1; "
                                "fence.mbarrier_init.release.cluster; fence.proxy.async; bar.sync 0;\n";
const std::string waitBarrier = "WAIT: mbarrier.try_wait.parity.shared::cta.b64 %p8, [%r1], 0; @!%p8 bra WAIT;\n";

struct Box {
  const char *name, *about;
  DType dtype;
  std::vector<uint64_t> sizes;
  std::vector<uint32_t> box;
  std::vector<int> corner;
  Swizzle swizzle = Swizzle::none;
  uint32_t to = 1024; ///< in shared memory
};

Map mapOf(const Box &box) {
  Map map;
  map.dtype = box.dtype;
  map.rank = int(box.sizes.size());
  map.swizzle = box.swizzle;
  uint64_t bytes = (box.sizes[0] * dtypeSize(box.dtype) + 15) / 16 * 16;
  for (size_t axis = 0; axis < box.sizes.size(); ++axis) {
    map.sizes[axis] = box.sizes[axis];
    map.box[axis] = box.box[axis];
    if (axis > 0)
      bytes *= box.sizes[axis];
    if (axis + 1 < box.sizes.size())
      map.strideBytes[axis] = bytes;
  }
  return map;
}

size_t bytesOf(const Map &map) {
  return map.rank == 1 ? (map.sizes[0] * dtypeSize(map.dtype) + 15) / 16 * 16
                       : size_t(map.strideBytes[size_t(map.rank) - 2] * map.sizes[size_t(map.rank) - 1]);
}
size_t boxBytes(const Box &box) {
  size_t bytes = dtypeSize(box.dtype);
  for (uint32_t extent : box.box)
    bytes *= extent;
  return bytes;
}

std::string coordinates(const Box &box) {
  std::string text;
  for (size_t axis = 0; axis < box.corner.size(); ++axis)
    text += fmt::format("mov.b32 %r{}, {};\n", 20 + axis, box.corner[axis]);
  return text;
}

Case loadCase(const Box &box) {
  Map map = mapOf(box);
  size_t bytes = boxBytes(box);
  return {.name = fmt::format("tensor-load-{}", box.name),
          .about = box.about,
          .needs = 90,
          .inBytes = bytesOf(map),
          .outBytes = bytes,
          .body = makeBarrier + coordinates(box) +
                  fmt::format("@%p9 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r1], {};\n"
                              "@%p9 cp.async.bulk.tensor.{}d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
                              "[%r1+{}], [%rd2, {}], [%r1];\n",
                              bytes, map.rank, box.to, listOf("r", 20, map.rank)) +
                  waitBarrier + storeShared(bytes, 32, box.to),
          .map = map};
}

Case storeCase(const Box &box, const char *reduction) {
  Map map = mapOf(box);
  size_t bytes = boxBytes(box), target = bytesOf(map);
  std::string opcode = reduction ? "cp.reduce.async.bulk.tensor" : "cp.async.bulk.tensor";
  return {.name = fmt::format("tensor-{}-{}", reduction ? reduction : "store", box.name),
          .about = box.about,
          .needs = 90,
          .inBytes = bytes,
          .outBytes = target,
          .fill = reduction ? Fill::smallBf16 : Fill::bits,
          .body = loadShared(bytes, 32, box.to, true) + coordinates(box) + "setp.eq.u32 %p9, %r0, 0;\n" +
                  fmt::format("@%p9 {}.{}d.global.shared::cta{}{}.tile.bulk_group [%rd2, {}], [%r1+{}];\n", opcode,
                              map.rank, reduction ? "." : "", reduction ? reduction : "", listOf("r", 20, map.rank),
                              box.to) +
                  "@%p9 cp.async.bulk.commit_group; @%p9 cp.async.bulk.wait_group 0;\n",
          .map = map,
          .mapOfOut = true};
}

Case reduceCase(const char *name, const char *type, Fill fill) {
  // The output starts as zeros; two reductions of different halves of the input.
  return {.name = fmt::format("bulk-reduce-{}", name),
          .about = "a reduction into global memory, twice",
          .needs = 90,
          .inBytes = 512,
          .outBytes = 256,
          .fill = fill,
          .body = loadShared(512, 32, 0, true) +
                  fmt::format("setp.eq.u32 %p9, %r0, 0; add.u32 %r2, %r1, 256;\n"
                              "@%p9 cp.reduce.async.bulk.global.shared::cta.bulk_group.{0} [%rd1], [%r1], 256;\n"
                              "@%p9 cp.async.bulk.commit_group; @%p9 cp.async.bulk.wait_group 0;\n"
                              "@%p9 cp.reduce.async.bulk.global.shared::cta.bulk_group.{0} [%rd1], [%r2], 256;\n"
                              "@%p9 cp.async.bulk.commit_group; @%p9 cp.async.bulk.wait_group 0;\n",
                              type)};
}

} // namespace

void addAsync(std::vector<Case> &cases) {
  std::string look;
  auto test = [&](int parity) {
    static int count = 0;
    look += fmt::format("mbarrier.test_wait.parity.shared::cta.b64 %p1, [%r1], {}; selp.u32 %r{}, 1, 0, %p1;\n", parity,
                        10 + count % 8);
    ++count;
  };
  look = "mbarrier.init.shared::cta.b64 [%r1], 2;\n";
  test(0);
  test(1);
  look += "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r1], 32; mbarrier.arrive.shared::cta.b64 _, [%r1];\n";
  test(0);
  look += "mbarrier.complete_tx.shared::cta.relaxed.cluster.b64 [%r1], 16;\n";
  look = look.substr(0, look.rfind("mbarrier.complete_tx")) +
         "mbarrier.complete_tx.relaxed.cta.shared::cta.b64 [%r1], 16;\n";
  test(0);
  look += "mbarrier.complete_tx.relaxed.cta.shared::cta.b64 [%r1], 16;\n";
  test(0);
  test(1);
  look += "mbarrier.arrive.noComplete.shared::cta.b64 %rd10, [%r1], 1; mbarrier.pending_count.b64 %r16, %rd10;\n"
          "mbarrier.arrive.shared::cta.b64 %rd11, [%r1]; mbarrier.pending_count.b64 %r17, %rd11;\n";
  cases.push_back({.name = "mbarrier-phases",
                   .about = "phases, transaction counts, pending counts",
                   .needs = 90,
                   .threads = 1,
                   .outBytes = 32,
                   .body = look + storeRegisters("r", 10, 8)});
  cases.push_back({.name = "elect-sync",
                   .about = "which lane is elected (PTX leaves it open)",
                   .needs = 90,
                   .outBytes = 256,
                   .body = "elect.sync %r4|%p0, -1; selp.u32 %r5, 1, 0, %p0;\n" + storeRegisters("r", 4, 2)});
  cases.push_back(
      {.name = "bulk-load",
       .about = "a range into shared memory",
       .needs = 90,
       .inBytes = 256,
       .outBytes = 256,
       .body = makeBarrier +
               "@%p9 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r1], 256;\n@%p9 "
               "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r1+256], [%rd0], 256, [%r1];\n" +
               waitBarrier + storeShared(256, 32, 256)});
  cases.push_back(reduceCase("add-f32", "add.f32", Fill::unitFloats));
  cases.push_back(reduceCase("add-bf16", "add.noftz.bf16", Fill::smallBf16));
  cases.push_back(reduceCase("max-s32", "max.s32", Fill::bits));

  const Box boxes[] = {
      {"1d-ends", "what lies before and behind the tensor", DType::bf16, {100}, {128}, {-8}},
      {"2d-plain", "rows packed, no swizzle", DType::f32, {40, 9}, {16, 4}, {8, 7}},
      {"2d-swizzle32", "the 32-byte swizzle", DType::bf16, {64, 20}, {16, 16}, {16, 2}, Swizzle::bytes32},
      {"2d-swizzle64", "the 64-byte swizzle", DType::bf16, {64, 20}, {32, 16}, {16, 2}, Swizzle::bytes64},
      {"2d-swizzle128", "the 128-byte swizzle", DType::bf16, {72, 20}, {64, 16}, {16, 2}, Swizzle::bytes128},
      {"2d-swizzle128-moved",
       "that the swizzle follows addresses, not rows",
       DType::bf16,
       {72, 20},
       {64, 16},
       {0, 2},
       Swizzle::bytes128,
       1408},
      {"3d-swizzle128", "the order of axes", DType::f32, {32, 9, 3}, {32, 4, 2}, {0, 6, 2}, Swizzle::bytes128},
      {"4d-negative",
       "coordinates below 0",
       DType::bf16,
       {64, 5, 2, 3},
       {64, 4, 1, 2},
       {0, -2, 1, 2},
       Swizzle::bytes128},
      {"5d", "five axes", DType::f32, {8, 3, 2, 2, 3}, {8, 2, 2, 1, 2}, {0, 2, 0, 1, 2}},
  };
  for (const Box &box : boxes)
    cases.push_back(loadCase(box));
  cases.push_back(storeCase({"2d-clipped",
                             "a store leaves out what lies outside",
                             DType::bf16,
                             {72, 20},
                             {64, 16},
                             {16, 10},
                             Swizzle::bytes128},
                            nullptr));
  cases.push_back(storeCase(
      {"2d-bf16", "a reduction of a box", DType::bf16, {64, 20}, {64, 16}, {0, 10}, Swizzle::bytes128}, "add"));
}

} // namespace tercet::conformance
