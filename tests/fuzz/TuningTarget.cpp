// Fuzz target: tuning databases. The input is read as a file; and its first line with a digest of its own, as random
// damage would end at the digest.
#include "Target.h"

#include "tercet/autotune/RecordFile.h"

using namespace tercet;

static void checkLines(const tune::RecordLines &lines) {
  for (const tune::BadLine &bad : lines.bad) {
    TERCET_CHECK(bad.line > 0 && !bad.reason.empty(), "a bad line has a place and a reason");
    TERCET_CHECK(!hasControlCharacter(bad.reason), "a reason is one line");
  }
  for (const tune::StoredRecord &stored : lines.records) {
    Result<std::string> line = tune::recordLine(stored.record);
    TERCET_CHECK(line.ok(), "what was read is legal");
    Result<tune::StoredRecord> again = tune::parseRecord(*line);
    TERCET_CHECK(again.ok() && again->record == stored.record, "what was read is written, and read again");
  }
  std::vector<tune::StoredRecord> merged = tune::mergeRecords(lines.records);
  std::vector<tune::StoredRecord> twice = merged;
  twice.insert(twice.end(), lines.records.begin(), lines.records.end());
  twice = tune::mergeRecords(std::move(twice));
  TERCET_CHECK(twice.size() == merged.size(), "merging is idempotent");
  for (size_t i = 0; i < merged.size(); ++i)
    TERCET_CHECK(twice[i].digest == merged[i].digest, "and keeps the same records");
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view input(reinterpret_cast<const char *>(data), size);
  checkLines(tune::readRecords(input, "db.jsonl"));
  std::string line(input.substr(0, input.find('\n')));
  if (size_t end = line.rfind(R"(,"digest")"); end != std::string::npos)
    line.resize(end);
  line += fmt::format(R"(,"digest":"{}"}})", digestOf(line).hex());
  checkLines(tune::readRecords(line, "db.jsonl"));
  return 0;
}
