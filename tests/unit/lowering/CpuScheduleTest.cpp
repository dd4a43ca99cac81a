// CPU schedules: the default of any program is legal, texts say all of a schedule and read back, wrong ones say what is legal.
#include "CpuSpace.h"

#include <catch2/catch.hpp>

using namespace tercet;
using namespace tercet::compiler;

namespace {

/// classes: blocks of 64 x 64, or of these sizes; else none.
Program programOf(int64_t blockQ = 0, int64_t blockK = 0, bool linear = false, Direction direction = {}) {
  Program program;
  program.headDim = program.valueDim = 64;
  program.direction = direction;
  program.linear = linear;
  program.over = blockQ > 0 ? LinearOver::marginal : LinearOver::all;
  if (blockQ > 0) {
    program.selection.emplace();
    program.blockQ = blockQ;
    program.blockK = blockK;
  }
  AttendStage stage;
  stage.exact = true;
  stage.listed = blockQ > 0;
  program.attends.push_back(std::move(stage));
  return program;
}

std::string errorOf(const Program &program, CpuLevel level, const std::string &text) {
  Result<CpuSchedule> schedule = parseCpuSchedule(program, level, text);
  REQUIRE_FALSE(schedule.ok());
  CHECK(schedule.status().code() == Code::invalidArgument);
  return schedule.status().message();
}

constexpr CpuLevel levels[] = {CpuLevel::portable, CpuLevel::v3, CpuLevel::v4};

} // namespace

TEST_CASE("the default schedule of every program is legal, and its text reads back", "[schedule]") {
  for (CpuLevel level : levels)
    for (auto [blockQ, blockK] :
         {std::pair{0, 0}, {1, 16}, {4, 64}, {16, 16}, {48, 80}, {64, 64}, {128, 64}, {256, 512}})
      for (int64_t headDim : {1, 16, 80, 128, 512})
        for (int64_t valueDim : {1, 48, 128, 512})
          for (Direction direction : {Direction::inference, Direction::backward})
            for (DType dtype : {DType::f32, DType::bf16}) {
              Program program = programOf(blockQ, blockK, /*linear=*/blockQ >= 16, direction);
              program.headDim = headDim;
              program.valueDim = valueDim;
              program.dtype = dtype;
              CpuSchedule schedule = chooseCpuSchedule(program, level);
              const CpuRule *rule = brokenRule(program, schedule);
              INFO(textOf(program, schedule) << " of " << blockQ << " x " << blockK << ", " << headDim << " and "
                                             << valueDim << (rule ? rule->name : ""));
              CHECK(rule == nullptr);
              Result<CpuSchedule> read = parseCpuSchedule(program, level, textOf(program, schedule));
              INFO(read.status().message());
              REQUIRE(read.ok());
              CHECK(textOf(program, *read) == textOf(program, schedule));
            }
}

TEST_CASE("every schedule of a space has a text of its own, which reads back", "[schedule]") {
  for (CpuLevel level : levels)
    for (Direction direction : {Direction::inference, Direction::backward})
      for (auto [blockQ, linear] : {std::pair{0, false}, {64, false}, {64, true}, {16, true}, {0, true}}) {
        Program program = programOf(blockQ, blockQ, linear, direction);
        CpuSpace space = cpuSpace(program, level, {1, 8, 8, 8192, 8192, 0.05}, /*threads=*/2);
        CHECK(space.candidates.size() <= 192);
        CHECK(textOf(program, space.candidates[0].schedule) == textOf(program, chooseCpuSchedule(program, level)));
        std::set<std::string> texts;
        for (const RankedCpuSchedule &each : space.candidates) {
          std::string text = textOf(program, each.schedule);
          INFO(text);
          CHECK(texts.insert(text).second);
          Result<CpuSchedule> read = parseCpuSchedule(program, level, text);
          INFO(read.status().message());
          REQUIRE(read.ok());
          CHECK(textOf(program, *read) == text);
          CHECK(read->featureDim == each.schedule.featureDim);
          CHECK(read->valueDim == each.schedule.valueDim);
          CHECK(read->keys.tile == each.schedule.keys.tile);
          CHECK(each.predicted > 0);
        }
      }
}

TEST_CASE("a text may leave knobs out, and the level", "[schedule]") {
  Program program = programOf(64, 64, /*linear=*/true);
  CpuSchedule byDefault = chooseCpuSchedule(program, CpuLevel::v3);
  for (const char *text : {"", "cpu", "cpu v3", "  super_row=256  "})
    CHECK(textOf(program, *parseCpuSchedule(program, CpuLevel::v3, text)) == textOf(program, byDefault));
  CHECK(parseCpuSchedule(program, CpuLevel::v3, "cpu super_row=128")->superRow == 128);
  CHECK(parseCpuSchedule(program, CpuLevel::v3, "segment_blocks=60 subset_blocks=5")->subsetBlocks == 5);
}

TEST_CASE("queries and keys of lists have the sizes of the passes that take them", "[schedule]") {
  Program program = programOf(64, 64, /*linear=*/false, Direction::backward);
  CpuSchedule schedule = *parseCpuSchedule(program, CpuLevel::v4, "super_row=512 key_tile=32");
  CHECK(schedule.queries.superRow == 512);
  CHECK(schedule.keys.tile == 32);
  CHECK(errorOf(program, CpuLevel::v4, "query_rows=240").find("'query_rows' is not a knob") != std::string::npos);
}

TEST_CASE("wrong texts say what is legal", "[schedule]") {
  Program program = programOf(64, 64, /*linear=*/true);
  auto says = [&](const std::string &text, const std::string &part) {
    INFO(text);
    std::string message = errorOf(program, CpuLevel::v4, text);
    INFO(message);
    CHECK(message.find(part) != std::string::npos);
  };
  says("cpu v3 super_row=64", "is for cpu:v3; this target is cpu:v4");
  says("super_row", "is not KNOB=N");
  says("super_row=", "is not KNOB=N");
  says("super_row=6x", "is not KNOB=N");
  says("super_row=-64", "super_row=-64 is not legal; legal values are 64, 128");
  says("super_row=0", "super_row=0 is not legal");
  says("rows=64", "'rows' is not a knob");
  says("key_tile=48", "by the rule whole-blocks");
  says("super_row=240", "legal with the other knobs are 64, 128");
  says("subset_blocks=3 segment_blocks=64", "legal with the other knobs are 1, 2, 4");
  says("value_slice=64 feature_chunk=32", "state-registers");
}

TEST_CASE("small query blocks that are gathered are numbered by bytes, others by bits", "[schedule]") {
  Program gathered = programOf(4, 64);
  REQUIRE(gathered.gathersRows());
  CHECK(errorOf(gathered, CpuLevel::v4, "super_row=512").find("rule") != std::string::npos);
  Program small = programOf(16, 16);
  CHECK(errorOf(small, CpuLevel::v4, "super_row=512").find("list-bits") != std::string::npos);
}
