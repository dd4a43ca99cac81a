// Rows of several files, and their distance from a program, a call and a machine.
#include "tercet/autotune/Database.h"

#include "RecordOrder.h"
#include "ShippedRows.h"

#include "tercet/Log.h"

#include <algorithm>
#include <cmath>

namespace tercet::tune {
namespace {

constexpr double otherDevice = 1, earlierGenerator = 1, weightOfUnits = 0.5;
constexpr const char *embeddedRows = "(shipped)"; // in place of a path
constexpr size_t mostWarnings = 8;                // per file: a file of something else is one mistake, not thousands

double machineDistance(const Machine &a, const Machine &b) {
  double sum = !a.device.empty() && !b.device.empty() && a.device != b.device ? otherDevice : 0;
  if (a.units > 0 && b.units > 0)
    sum += weightOfUnits * std::abs(std::log2(static_cast<double>(a.units) / static_cast<double>(b.units)));
  return sum;
}

void warn(const std::vector<BadLine> &bad) {
  for (size_t i = 0; i < std::min(bad.size(), mostWarnings); ++i)
    log(LogLevel::warn, "the tuning record is skipped: {}", bad[i].text());
  if (bad.size() > mostWarnings)
    log(LogLevel::warn, "{}: {} more tuning records are skipped", bad.front().file, bad.size() - mostWarnings);
}

} // namespace

std::string_view originName(Origin origin) {
  constexpr std::string_view names[] = {"user", "system", "shipped"};
  return names[static_cast<int>(origin)];
}

std::string Row::text() const {
  const Record &found = stored.record;
  std::string name = "row " + stored.digest.hex().substr(0, 8);
  std::string place =
      file == embeddedRows ? "shipped " + name : fmt::format("{} of {} ({})", name, file, originName(origin));
  return fmt::format("{}, at distance {:.3g}, measured {} on {}", place, distance, found.date.substr(0, 10),
                     found.machine.device.empty() ? "a device without a name" : found.machine.device);
}

void Database::add(const Source &source, const std::vector<std::string> &words) {
  bool isEmbedded = source.origin == Origin::shipped && source.path.empty();
  std::string file = isEmbedded ? embeddedRows : source.path.string();
  RecordLines lines = isEmbedded ? readRecords(shippedRows(), file, words) : readRecordFile(source.path, words);
  warn(lines.bad);
  std::move(lines.bad.begin(), lines.bad.end(), std::back_inserter(bad));
  for (StoredRecord &stored : lines.records)
    all.push_back({.stored = std::move(stored), .origin = source.origin, .file = file});
}

Database Database::openWith(const std::vector<Source> &sources, const std::vector<std::string> &words) {
  Database database;
  for (Origin origin : {Origin::user, Origin::system, Origin::shipped})
    for (const Source &source : sources)
      if (source.origin == origin)
        database.add(source, words);
  return database;
}

std::vector<Row> Database::nearest(const RecordKey &key, const ProblemClass &problem, const Machine &machine) const {
  std::vector<Row> found;
  for (const Row &row : all) {
    const Record &record = row.record();
    if (record.key != key || record.generator > generatorVersion)
      continue;
    double sum = tune::distance(classOf(record.shape), problem) + machineDistance(record.machine, machine) +
                 (record.generator < generatorVersion ? earlierGenerator : 0);
    if (sum > farthest)
      continue;
    found.push_back(row);
    found.back().distance = sum;
  }
  std::sort(found.begin(), found.end(), [](const Row &a, const Row &b) {
    if (a.distance != b.distance)
      return a.distance < b.distance;
    return a.origin != b.origin ? a.origin < b.origin : preference(a.stored, b.stored) < 0;
  });
  return found;
}

std::optional<Row> Database::lookup(const RecordKey &key, const ProblemClass &problem, const Machine &machine) const {
  std::vector<Row> rows = nearest(key, problem, machine);
  return rows.empty() ? std::nullopt : std::optional(std::move(rows.front()));
}

} // namespace tercet::tune
