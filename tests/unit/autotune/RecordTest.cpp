#include "unit/autotune/SampleRecord.h"

#include "tercet/autotune/RecordFile.h"

#include <catch2/catch.hpp>

using namespace tercet;
using namespace tercet::tune;

static std::string reasonAgainst(const Record &record) {
  Result<std::string> line = recordLine(record);
  return line.ok() ? "" : line.status().message();
}

/// A line with this digest at its end, whatever it says.
static std::string signedLine(const std::string &body) {
  return body + R"(,"digest":")" + digestOf(body).hex() + "\"}";
}

TEST_CASE("a record is read as it was written, field by field", "[record]") {
  Record record = test::sampleRecord();
  SECTION("on a CPU") {}
  SECTION("on a GPU, with several kernels, whose order stays") {
    record.key.target = "sm_90a";
    record.machine = {.device = "NVIDIA H200", .units = 132, .driver = "570.86.15", .nvrtc = "12.8"};
    record.schedules = {{"z_attend", "128 x 64, 3 stages"}, {"aggregate", "by \"bits\""}, {"attend \xc3\xbc", ""}};
    record.shape.overlap = 0.1;
  }
  SECTION("the default was the best, and its own cost is not known") {
    record.schedules.clear();
    record.defaultCost.reset();
  }
  Result<std::string> line = recordLine(record);
  REQUIRE(line.ok());
  CHECK(line->find('\n') == std::string::npos);
  Result<StoredRecord> read = parseRecord(*line);
  REQUIRE(read.ok());
  CHECK(read->record == record);
  CHECK(read->line == *line);
  CHECK(*recordLine(read->record) == *line);
}

TEST_CASE("what is not legal is not written, and the field is named", "[record]") {
  auto with = [](auto change) {
    Record record = test::sampleRecord();
    change(record);
    return reasonAgainst(record);
  };
  using Catch::Contains;
  CHECK_THAT(with([](Record &r) { r.key.spec = "sla"; }), Contains("'spec' must be 32 hexadecimal digits"));
  CHECK_THAT(with([](Record &r) { r.key.dtype = "f64"; }), Contains("'dtype' is 'f64'; legal are f32, f16, bf16"));
  CHECK_THAT(with([](Record &r) { r.key.headDim = 0; }), Contains("'head_dim' must be a whole number from 1"));
  CHECK_THAT(with([](Record &r) { r.specName = std::string(300, 'x'); }), Contains("'spec_name' must be text"));
  CHECK_THAT(with([](Record &r) { r.machine.device = "a\nb"; }), Contains("'device' must be text"));
  CHECK_THAT(with([](Record &r) { r.machine.device = "\xff"; }), Contains("no UTF-8"));
  CHECK_THAT(with([](Record &r) { r.shape.kept = 1.5; }), Contains("'kept' must be a number from 0 to 1"));
  CHECK_THAT(with([](Record &r) { r.shape.kept = std::nan(""); }), Contains("'kept' must be a number"));
  CHECK_THAT(with([](Record &r) { r.cost.lower = 100; }), Contains("'ms': lower, median and upper must be"));
  CHECK_THAT(with([](Record &r) { r.cost.samples = 0; }), Contains("'ms': 'samples' must be"));
  CHECK_THAT(with([](Record &r) { r.defaultCost->lower = -1; }), Contains("'default_ms': 'lower' must be"));
  CHECK_THAT(with([](Record &r) { r.schedules[0].second = "a\tb"; }), Contains("'a schedule' must be text"));
  CHECK_THAT(with([](Record &r) { r.schedules.emplace_back("cpu", "other"); }), Contains("two schedules"));
  CHECK_THAT(with([](Record &r) { r.date = "yesterday"; }), Contains("'date' must be a time in UTC"));
  CHECK_THAT(with([](Record &r) { r.generator = -1; }), Contains("'generator' must be"));
  CHECK(with([](Record &r) { r.date = dateNow(); }).empty());
}

TEST_CASE("a line with a digest of its own is still read with care", "[record]") {
  auto reason = [](const std::string &line) {
    Result<StoredRecord> read = parseRecord(line);
    return read.ok() ? "" : read.status().message();
  };
  std::string line = *recordLine(test::sampleRecord());
  std::string body = line.substr(0, line.find(R"(,"digest")"));
  REQUIRE(reason(signedLine(body)).empty());
  CHECK(reason("") == "it does not end in a digest: it is cut off, or no record");
  CHECK(reason("{}") == "it does not end in a digest: it is cut off, or no record");
  CHECK(reason(signedLine("nonsense")) == "it is no JSON object");
  CHECK(reason(signedLine(R"({"tercet_tuning":1)")) == "the field 'spec' is missing");
  CHECK(reason(signedLine("{\"tercet_tuning\":2" + body.substr(body.find(',')))) ==
        "its format is 2; this Tercet reads 1");
  CHECK(reason(signedLine("{\"a\":" + std::string(1000, '[') + std::string(1000, ']'))) == "it is nested too deeply");
  CHECK(reason(signedLine("{\"a\":\"" + std::string(longestLine, 'x') + '"')) == "it is longer than 65536 bytes");
  CHECK(reason(signedLine(body + R"(,"of_a_later_tercet":[1])")).empty());
}
