// Bugs in the dense kernel for sm_90a and in the device library, one at a time: the simulator must find all but those that change
// nothing. Rings with tensor copies, products of warpgroups, roles; what sm_80 has too is edited in MutationTest.cpp.
#include "unit/simulator/DenseEdits.h"

#include <catch2/catch.hpp>

using namespace tercet;

namespace {

const std::vector<test::KernelEdit> edits = {
    // The ring's barriers.
    {"barrier_init(full(i), 1);", "barrier_init(full(i), 2);"},
    {"barrier_init(free(i), 4 * READERS);", "barrier_init(free(i), 4 * READERS - 1);"},
    {"barrier_init(free(i), 4 * READERS);", "barrier_init(free(i), 4);"},
    {"barrier_init(free(i), 4 * READERS);", "barrier_init(free(i), 4 * READERS + 1);"},
    {"for (int i = 0; i < SLOTS; ++i) {\n        barrier_init", "for (int i = 0; i < 1; ++i) {\n        barrier_init"},
    {"static_cast<u32>(step) % SLOTS; }", "static_cast<u32>(step) % (SLOTS + 1); }"},
    {"static_cast<u32>(step) % SLOTS; }", "0; }"},
    {"static_cast<u32>(step) / SLOTS % 2; }", "static_cast<u32>(step) % 2; }"},
    {"static_cast<u32>(step) / SLOTS % 2; }", "0; }"},
    {"return full(slot) + 8; }", "return full(slot) + 16; }"},
    {"SLOTS * Slot::bytes + 16 * slot; }", "(SLOTS - 1) * Slot::bytes + 16 * slot; }"},
    // Filling it.
    {"    barrier_wait(free(slot), parity(step) ^ 1);\n", ""},
    {"parity(step) ^ 1);", "parity(step));"},
    {"barrier_arrive_expecting(full(slot), Slot::bytes + more);",
     "barrier_arrive_expecting(full(slot), Slot::bytes / 2);"},
    {"barrier_arrive_expecting(full(slot), Slot::bytes + more);",
     "barrier_arrive_expecting(full(slot), 2 * Slot::bytes);"},
    {"barrier_arrive_expecting(full(slot), Slot::bytes + more);", "barrier_arrive(full(slot));"},
    {"barrier_arrive_expecting(full(slot), Slot::bytes + more);", ""},
    {"to = base + slot * Slot::bytes;", "to = base;"},
    {"copy_box(to + box * Slot::box_bytes", "copy_box(to"},
    {"copy_box(to + box * Slot::box_bytes", "copy_box(to + box * Slot::box_bytes + 16"},
    {"copy_box(to + box * Slot::box_bytes, map, full(slot)", "copy_box(to + box * Slot::box_bytes, map, free(slot)"},
    {"64 * box, static_cast<int>(row)", "0, static_cast<int>(row)"},
    {"\"r\"(row), \"r\"(head), \"r\"(batch)", "\"r\"(row), \"r\"(batch), \"r\"(head)"},
    {"\"r\"(row), \"r\"(head), \"r\"(batch)", "\"r\"(row + 1), \"r\"(head), \"r\"(batch)"},
    {"box < Slot::boxes; ++box)\n      copy_box", "box < Slot::boxes - 1; ++box)\n      copy_box"},
    // Reading and releasing it.
    {"    barrier_wait(full(slot), parity(step));\n", ""},
    {"barrier_wait(full(slot), parity(step));", "barrier_wait(full(slot), parity(step) ^ 1);"},
    {"return {base + slot * Slot::bytes};", "return {base};"},
    {"    __syncwarp();\n    if (lane() == 0)\n      barrier_arrive(free",
     "    if (lane() == 0)\n      barrier_arrive(free",
     "only products read the slots, and their wait is one of the whole warp"},
    {"if (lane() == 0)\n      barrier_arrive(free(number(step)));", "barrier_arrive(free(number(step)));"},
    {"if (lane() == 0)\n      barrier_arrive(free(number(step)));",
     "if (lane() == 0)\n      barrier_arrive(full(number(step)));"},
    {"if (lane() == 0)\n      barrier_arrive(free", "if (threadIdx.x % 128 == 0)\n      barrier_arrive(free"},
    // Rows without a key.
    {"  if (live < ROWS) {\n    constexpr int chunks", "  if (live < ROWS - 1) {\n    constexpr int chunks"},
    {"static_cast<int>(larger(live, 0));", "static_cast<int>(larger(live, 0)) + 1;"},
    {"i < ROWS * chunks;", "i < (ROWS - 1) * chunks;"},
    {"static_cast<int>(threadIdx.x) - 128 +", "static_cast<int>(threadIdx.x) +"},
    {"tile.chunk(i / chunks, i % chunks)", "tile.chunk(i / chunks, 0)"},
    {"((chunk ^ row) % 8) * 16", "(chunk % 8) * 16",
     "whole rows are cleared, so the order of their chunks does not matter"},
    {"    async_proxy_fence();\n    named_barrier", "    named_barrier"},
    {"    named_barrier<1, 128 * CONSUMERS>();\n", ""},
    {"    named_barrier<1, 128 * CONSUMERS>();\n", "    __syncwarp();\n"},
    {"named_barrier<1, 128 * CONSUMERS>();", "named_barrier<1, 128>();"},
    {"clear_rows<2>(v_tile, keys_left);", ""},
    // Descriptors.
    {"1ull << 62;", "2ull << 62;"},
    {"1ull << 62;", "0ull;"},
    {"static_cast<u64>(1024 >> 4)", "static_cast<u64>(512 >> 4)"},
    {"(address & 0x3ffff) >> 4", "(address & 0x1ffff) >> 4"},
    {"k / 4 * tile.box_bytes + k % 4 * 32", "k / 4 * tile.box_bytes + k % 4 * 16"},
    {"k / 4 * tile.box_bytes + k % 4 * 32", "k % 4 * 32"},
    {"describe(b.address, b.box_bytes)", "describe(b.address, 16)"},
    {"k * (2048 >> 4), true", "k * (1024 >> 4), true"},
    // Products.
    {"Pending(Depth<DEPTH>, const SwizzledTile<Element, ROWS, A_COLS> &a,\n                        const "
     "SwizzledTile<Element, COLS, B_COLS> &b) {\n    products_fence();",
     "Pending(Depth<DEPTH>, const SwizzledTile<Element, ROWS, A_COLS> &a,\n                        const "
     "SwizzledTile<Element, COLS, B_COLS> &b) {"},
    {"  rest(acc.at);\n  products_fence();", "  rest(acc.at);"},
    {"                k > 0);\n    commit_products();\n  }\n};", "                k > 0);\n  }\n};"},
    {"                k > 0);\n    commit_products();\n  }\n};",
     "                true);\n    commit_products();\n  }\n};"},
    {", true);\n  commit_products();", ", true);"},
    {", true);\n  commit_products();", ", k > 0);\n  commit_products();"},
    {"  wait_products<LATER>();\n  rest(product.tile.at);", "  rest(product.tile.at);"},
    {"  wait_products<LATER>();\n  rest(product.tile.at);", "  wait_products<LATER + 1>();\n  rest(product.tile.at);"},
    {"  wait_products<LATER>();\n  rest(acc.at);\n}", "  rest(acc.at);\n}"},
    {"  wait_products<LATER>();\n  rest(acc.at);\n}", "  wait_products<LATER + 1>();\n  rest(acc.at);\n}"},
    {"from_registers<1>(", "from_registers<0>("},
    {"acc.at, left.at[k]", "acc.at, left.at[0]"},
    {"describe_depth(a, k), describe_depth(b, k)", "describe_depth(a, 0), describe_depth(b, k)"},
    {"sum, 1, 1, 0, %\" #TRANS3", "sum, 1, -1, 0, %\" #TRANS3"},
    {"sum, 1, 1, 0, %\" #TRANS3", "sum, 1, 1, 1, %\" #TRANS3"},
    // Roles.
    {"  barrier_init_done();\n  __syncthreads();", "  __syncthreads();"},
    {"  barrier_init_done();\n  __syncthreads();", "  barrier_init_done();"},
    {"warp() < 4; }", "warp() < 8; }"},
    {"return threadIdx.x == 0; }", "return threadIdx.x < 2; }"},
    {"asm volatile(\"setmaxnreg.dec.sync.aligned.u32 %0;\" ::\"n\"(COUNT));", ""},
    {"shrink_registers<24>();", "shrink_registers<40>();"},
    {"shrink_registers<24>();", "shrink_registers<32>();", "32 x 128 + 240 x 256 registers fit the file too"},
    {"grow_registers<240>();", "grow_registers<248>();"},
    {"grow_registers<240>();", "if (warp() < 8)\n      grow_registers<240>();", nullptr,
     "how many registers a warp uses is not in the PTX"},
    // The kernel.
    {"      keys.release(j);\n", ""},
    {"      values.release(j);\n", ""},
    {"    queries.release(worker);\n", "", "no copy ever waits for the queries' slots"},
    {"const Tile<64, 128> &scores = await<0>(product);\n      keys.release(j);",
     "keys.release(j);\n      const Tile<64, 128> &scores = await<0>(product);"},
    {"await<0>(acc);\n      values.release(j);", "values.release(j);\n      await<0>(acc);"},
    {"      await<0>(acc);\n", ""},
    {"keys.release(j);", "keys.release(j + 1);",
     "of two slots the other one's next fill waits for a later step anyway"},
    {"keys.release(j);", "values.release(j);"},
    {"queries.wait(worker)", "queries.wait(0)"},
    {"values.wait(j)", "keys.wait(j)"},
    {"keys.wait(j);", "keys.wait(j + 1);"},
    {"keys.fill(j, k, key,", "keys.fill(j, k, 0,"},
    {"values.fill(j, v, key,", "values.fill(j, k, key,"},
    {"next_row = block_row + 64", "next_row = block_row"},
    {"queries.fill(1, q, next_row", "queries.fill(0, q, next_row"},
    {"for (index j = 0; j < steps; j += 1) {\n        const index key",
     "for (index j = 0; j < steps - 1; j += 1) {\n        "
     "const index key"},
    {"for (index j = 0; j < steps; j += 1) {\n        const index key",
     "for (index j = 0; j <= steps; j += 1) {\n        "
     "const index key"},
    {"mask_cols(scores, keys_left)", "mask_cols(scores, keys_left + 1)"},
    {"values(shared, 100352)", "values(shared, 67584)"},
    {"values(shared, 100352)", "values(shared, 100480)"},
};

} // namespace

TEST_CASE("bugs in a generated kernel of warpgroups are found by running it", "[simulator][nvrtc]") {
  std::vector<test::DenseProblem> problems;
  // 3 and 2 steps with tails, 127 live keys in one of them; two blocks of queries, of which one has a tail.
  problems.emplace_back(test::DenseShape{.batch = 2,
                                         .heads = 2,
                                         .keyHeads = 1,
                                         .queries = 130,
                                         .keys = 400,
                                         .dim = 128,
                                         .queryLengths = {130, 70},
                                         .keyLengths = {383, 250}});
  // Every slot is filled three times, and no step has a tail.
  problems.emplace_back(test::DenseShape{.queries = 128, .keys = 640, .dim = 128, .scale = 1});
  test::BugCount count = test::findBugs("sm_90a", 128, problems, edits);
  CHECK(count.bugs >= 40);
  CHECK(10 * count.found >= 9 * count.bugs);
}
