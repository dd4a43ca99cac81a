// Masks in the device library: ranges of tables, lists of steps, votes over pairs; against brute force, with races looked for.
#include "gpu/DeviceRun.h"

#include <cmath>
#include <functional>
#include <limits>
#include <random>

using namespace tercet;
using test::DeviceRun;

namespace {

std::vector<int32_t> numbers(size_t count, int32_t step, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<int32_t> result(count);
  for (size_t i = 0; i < count; ++i)
    result[i] = static_cast<int32_t>(i) / step * 10 + static_cast<int32_t>(random() % 7);
  return result;
}

/// [least, largest] pairs of every block of `size`.
std::vector<int32_t> rangesOf(const std::vector<int32_t> &entries, size_t size) {
  std::vector<int32_t> result;
  for (size_t first = 0; first < entries.size(); first += size) {
    auto end = entries.begin() + static_cast<ptrdiff_t>(std::min(first + size, entries.size()));
    auto [least, largest] = std::minmax_element(entries.begin() + static_cast<ptrdiff_t>(first), end);
    result.insert(result.end(), {*least, *largest});
  }
  return result;
}

std::vector<int32_t> allRanges(const std::vector<int32_t> &entries) {
  std::vector<int32_t> result;
  for (size_t size : {64, 2048, 65536}) {
    std::vector<int32_t> level = rangesOf(entries, size);
    result.insert(result.end(), level.begin(), level.end());
  }
  return result;
}

const std::string rangesKernel =
    "#include \"tercet/dev/table_ranges.cuh\"\nusing namespace tercet::dev;\n"
    "extern \"C\" __global__ void __launch_bounds__(256) k(const ENTRY *table, ENTRY *ranges, index entries, index "
    "stride, "
    "index row) {\n  extern __shared__ __align__(1024) u8 shared[];\n"
    "  table_ranges<256>(shared, blockIdx.x, blockIdx.y, table, blockIdx.y * row, entries, stride, ranges);\n}\n";

std::string withEntry(std::string text, const std::string &entry) {
  for (size_t at; (at = text.find("ENTRY")) != std::string::npos;)
    text.replace(at, 5, entry);
  return text;
}

} // namespace

TEST_CASE("ranges of a table are the least and the largest entries of its blocks", "[nvrtc]") {
  DeviceRun run(withEntry(rangesKernel, "i32"));
  for (size_t entries : {1, 63, 64, 65, 2047, 2049, 65535, 70000}) {
    const size_t rows = 2, stride = 2;
    std::vector<int32_t> table(rows * entries * stride), expected, results;
    for (size_t row = 0; row < rows; ++row) {
      std::vector<int32_t> own = numbers(entries, 100, static_cast<unsigned>(row + entries));
      for (size_t i = 0; i < entries; ++i)
        table[(row * entries + i) * stride] = own[i];
      std::vector<int32_t> ranges = allRanges(own);
      expected.insert(expected.end(), ranges.begin(), ranges.end());
    }
    results.assign(expected.size(), -5);
    run.add(table)
        .add(results)
        .add(static_cast<int64_t>(entries))
        .add(stride)
        .add(static_cast<int64_t>(entries * stride));
    sim::LaunchConfig config =
        DeviceRun::adversarial(static_cast<uint32_t>((entries + 65535) / 65536), 256, 256, entries);
    config.grid[1] = rows;
    run.run(config);
    INFO(entries << " entries");
    CHECK(results == expected);
  }
}

TEST_CASE("a NaN makes a range of floats anything", "[nvrtc]") {
  DeviceRun run(withEntry(rangesKernel, "float"));
  std::vector<float> table(200), ranges(2 * (4 + 1 + 1), -5.0f);
  for (size_t i = 0; i < table.size(); ++i)
    table[i] = static_cast<float>(i) - 60;
  table[70] = NAN;
  run.add(table).add(ranges).add(200).add(1).add(0);
  run.run(DeviceRun::adversarial(1, 256, 256, 1));
  CHECK(ranges[0] == -60);
  CHECK(ranges[1] == 3);
  CHECK(std::isnan(ranges[2]));
  CHECK(std::isnan(ranges[3]));
  CHECK(ranges[4] == 68);
  CHECK(ranges[7] == 139);
  CHECK(std::isnan(ranges[8]));
  CHECK(std::isnan(ranges[11]));
}

TEST_CASE("a range over any entries holds them all, and is tight where few blocks cover it", "[nvrtc]") {
  DeviceRun run(
      "#include \"tercet/dev/table_ranges.cuh\"\nusing namespace tercet::dev;\n"
      "extern \"C\" __global__ void k(const i32 *ranges, const i32 *asked, i32 *out, index entries) {\n"
      "  const index at = blockIdx.x * 32 + threadIdx.x;\n  const Int first(asked[2 * at]), last(asked[2 * at + 1]);\n"
      "  out[2 * at] = least_of(ranges, 0, entries, first, last).value;\n"
      "  out[2 * at + 1] = largest_of(ranges, 0, entries, first, last).value;\n}\n");
  std::vector<int32_t> table = numbers(200000, 50, 3), ranges = allRanges(table);
  std::mt19937 random(9);
  std::vector<int32_t> asked, out(2 * 32 * 20);
  for (int i = 0; i < 32 * 20; ++i) {
    auto first = static_cast<int32_t>(random() % 210000) - 5000;
    asked.push_back(first);
    asked.push_back(first + static_cast<int32_t>(random() % (i % 3 == 0 ? 64 : i % 3 == 1 ? 4000 : 150000)));
  }
  run.add(ranges).add(asked).add(out).add(static_cast<int64_t>(table.size()));
  sim::LaunchConfig config;
  config.grid = {20, 1, 1};
  run.run(config);
  for (size_t i = 0; i < 32 * 20; ++i) {
    auto at = [&](int32_t position) {
      return table.begin() + std::clamp(position, 0, static_cast<int32_t>(table.size()) - 1);
    };
    auto [least, largest] = std::minmax_element(at(asked[2 * i]), at(asked[2 * i + 1]) + 1);
    INFO(asked[2 * i] << " to " << asked[2 * i + 1]);
    CHECK(out[2 * i] <= *least);
    CHECK(out[2 * i + 1] >= *largest);
    int32_t slack = i % 3 == 0 ? 64 : i % 3 == 1 ? 2048 : 65536; // entries outside of the range that its blocks hold
    CHECK(out[2 * i] >= *least - slack / 50 * 10 - 20);
    CHECK(out[2 * i + 1] <= *largest + slack / 50 * 10 + 20);
  }
}

namespace {

using Effect = std::pair<bool, bool>; ///< allows, forbids

/// The rule, in C++ and in CUDA, of a range of keys.
struct Rule {
  const char *text;
  std::function<Effect(int64_t first, int64_t last)> of;
};

const Rule rules[] = {
    {"MaskEffect{true, false}",
     [](int64_t, int64_t) {
       return Effect{true, false};
     }},
    {"MaskEffect{false, true}",
     [](int64_t, int64_t) {
       return Effect{false, true};
     }},
    {"MaskEffect{first <= Int(5000), last > Int(4970)}",
     [](int64_t first, int64_t last) {
       return Effect{first <= 5000, last > 4970};
     }},
    {"MaskEffect{last >= Int(70000) && first <= Int(70300), first < Int(70000) || last > Int(70300)}",
     [](int64_t first, int64_t last) {
       return Effect{last >= 70000 && first <= 70300, first < 70000 || last > 70300};
     }},
    // Every third of 4000 keys; ranges that are wider know nothing.
    {"MaskEffect{last - first > Int(4000) || first / Int(4000) % Int(3) == Int(0) || last / Int(4000) % Int(3) == "
     "Int(0), "
     "(first ^ last) >> Int(6) != Int(0)}",
     [](int64_t first, int64_t last) {
       return Effect{last - first > 4000 || first / 4000 % 3 == 0 || last / 4000 % 3 == 0, ((first ^ last) >> 6) != 0};
     }},
};

} // namespace

TEST_CASE("windows list the steps that a rule leaves, in order", "[nvrtc]") {
  for (const Rule &rule : rules) {
    DeviceRun run(
        std::string(
            "#include \"tercet/dev/step_windows.cuh\"\nusing namespace tercet::dev;\n"
            "extern \"C\" __global__ void __launch_bounds__(64) k(i32 *out, i32 *total, index live, index room) {\n"
            "  extern __shared__ __align__(1024) u8 shared[];\n"
            "  StepWindows<64> windows(shared, 128, live);\n"
            "  const auto rule = [&](Int first, Int last) { return ") +
        rule.text +
        "; };\n  index found = 0;\n  while (const index count = windows.next(rule)) {\n"
        "    for (index i = threadIdx.x; i < count; i += 64)\n      if (found + i < room)\n"
        "        out[found + i] = static_cast<i32>(windows[i]);\n    found += count;\n  }\n"
        "  if (threadIdx.x == 63)\n    *total = static_cast<i32>(found);\n}\n");
    for (int64_t live : {0, 1, 64, 65, 5000, 65536, 65537, 80000, 300000}) {
      std::vector<int32_t> expected;
      for (int64_t step = 0; step * 64 < live; ++step)
        if (auto [allows, forbids] = rule.of(step * 64, std::min(step * 64 + 64, live) - 1); allows)
          expected.push_back(static_cast<int32_t>(static_cast<uint32_t>(step) | (forbids ? 0x80000000u : 0)));
      std::vector<int32_t> out(expected.size() + 1), total(1, -1);
      run.add(out).add(total).add(live).add(static_cast<int64_t>(expected.size()));
      run.run(DeviceRun::adversarial(1, 64, 128 + 2048, static_cast<uint64_t>(live)));
      out.resize(expected.size());
      INFO(rule.text << ", " << live << " keys");
      CHECK(total[0] == static_cast<int32_t>(expected.size()));
      CHECK(out == expected);
    }
  }
}

TEST_CASE("parts of the steps that a rule leaves are all of them, in order", "[nvrtc]") {
  DeviceRun run(
      "#include \"tercet/dev/step_windows.cuh\"\nusing namespace tercet::dev;\n"
      "extern \"C\" __global__ void __launch_bounds__(64) k(i32 *out, i32 *total, index live, index first, index end) "
      "{\n"
      "  extern __shared__ __align__(1024) u8 shared[];\n"
      "  PartOfWindows<64> windows(shared, 128, live, first, end);\n"
      "  const auto rule = [&](Int first, Int last) { return MaskEffect{first < Int(70000) || last > Int(140000), "
      "false}; };\n"
      "  index found = 0;\n  while (const index count = windows.next(rule)) {\n"
      "    for (index i = threadIdx.x; i < count; i += 64)\n      out[found + i] = static_cast<i32>(windows[i]);\n"
      "    found += count;\n  }\n"
      "  if (threadIdx.x == 63)\n    *total = static_cast<i32>(found);\n}\n");
  const int64_t live = 300000;
  std::vector<int32_t> steps;
  for (int64_t step = 0; step * 64 < live; ++step)
    if (step * 64 < 70000 || step * 64 + 63 > 140000)
      steps.push_back(static_cast<int32_t>(step));
  const int64_t all = std::numeric_limits<int32_t>::max(), size = static_cast<int64_t>(steps.size());
  for (auto [first, end] :
       {std::pair{int64_t{0}, all}, {0, 5}, {5, 1030}, {1030, 1031}, {1031, 2500}, {2500, all}, {size, all}}) {
    std::vector<int32_t> out(steps.size()), total(1, -1);
    run.add(out).add(total).add(live).add(first).add(end);
    run.run(DeviceRun::adversarial(1, 64, 128 + 2048, static_cast<uint64_t>(end)));
    std::vector<int32_t> expected(steps.begin() + first, steps.begin() + std::min(end, size));
    INFO(first << " to " << end);
    CHECK(total[0] == static_cast<int32_t>(expected.size()));
    out.resize(expected.size());
    CHECK(out == expected);
  }
}

TEST_CASE("votes over pairs say exactly what a mask does to a block", "[nvrtc]") {
  DeviceRun run("#include \"tercet/dev/block_rules.cuh\"\nusing namespace tercet::dev;\n"
                "extern \"C\" __global__ void k(i32 *out, index rows, index cols, index allow, index forbid) {\n"
                "  const index row = blockIdx.x * 48, col = threadIdx.x * 80;\n"
                "  const MaskEffect found = vote_pairs([&](Int i, Int j) { return i * i + j * j <= Int(160000); },\n"
                "    MaskEffect{allow != 0 || row * row + col * col <= 160000, forbid != 0 || (row + 47) * (row + 47) "
                "+ (col + 79) * (col + 79) > 160000},\n"
                "    row, smaller(row + 48, rows), col, smaller(col + 80, cols));\n"
                "  out[blockIdx.x * 32 + threadIdx.x] = found.allows + 2 * found.forbids;\n}\n");
  const int64_t rows = 500, cols = 1200;
  for (bool unknown : {false, true}) {
    std::vector<int32_t> out(11 * 32, -1);
    run.add(out).add(rows).add(cols).add(unknown).add(unknown);
    run.run(DeviceRun::adversarial(11, 32, 0, 5));
    for (int64_t i = 0; i < 11; ++i)
      for (int64_t j = 0; j < 15; ++j) {
        int expected = 0;
        for (int64_t r = i * 48; r < std::min(i * 48 + 48, rows); ++r)
          for (int64_t c = j * 80; c < std::min(j * 80 + 80, cols); ++c)
            expected |= r * r + c * c <= 160000 ? 1 : 2;
        INFO("block " << i << ", " << j);
        CHECK(out[static_cast<size_t>(i * 32 + j)] == expected);
      }
  }
}
