// Lookups: the nearest row, foreign and stale rows, trust, and what is told of bad ones.
#include "unit/autotune/SampleRecord.h"
#include "unit/runtime/TempDir.h"

#include "tercet/Log.h"
#include "tercet/autotune/Database.h"

#include <catch2/catch.hpp>

#include <fstream>

using namespace tercet;
using namespace tercet::tune;

namespace fs = std::filesystem;

namespace {

/// A database of one file per origin.
class Files {
public:
  fs::path path(Origin origin) const { return dir.path() / (std::string(originName(origin)) + ".jsonl"); }
  void add(Origin origin, const Record &record) const { REQUIRE(append(path(origin), record).ok()); }
  Database open() const {
    return Database::open({{Origin::user, path(Origin::user)},
                           {Origin::system, path(Origin::system)},
                           {Origin::shipped, path(Origin::shipped)}});
  }
  /// The schedule of the row for the sample's program, call and machine; empty without one.
  std::string schedule() const {
    Record wanted = test::sampleRecord();
    std::optional<Row> row = open().lookup(wanted.key, classOf(wanted.shape), wanted.machine);
    return row ? row->record().schedules[0].second : "";
  }

private:
  test::TempDir dir;
};

template <typename Change> Record changed(const std::string &schedule, Change change) {
  Record record = test::sampleRecord();
  record.schedules = {{"cpu", schedule}};
  change(record);
  return record;
}

Record named(const std::string &schedule) {
  return changed(schedule, [](Record &) {});
}

} // namespace

TEST_CASE("the nearest row is taken, and none beyond the farthest distance", "[database]") {
  Files files;
  CHECK(files.schedule().empty());
  files.add(Origin::user, changed("16 x longer", [](Record &r) { r.shape.queries *= 16, r.shape.keys *= 16; }));
  CHECK(files.schedule().empty());
  files.add(Origin::user, changed("4 x longer", [](Record &r) { r.shape.queries *= 4, r.shape.keys *= 4; }));
  CHECK(files.schedule() == "4 x longer"); // at distance 2: just in
  files.add(Origin::user, changed("half the keys", [](Record &r) { r.shape.keys /= 2; }));
  CHECK(files.schedule() == "half the keys");
  files.add(Origin::shipped, named("the same"));
  CHECK(files.schedule() == "the same");

  Record wanted = test::sampleRecord();
  std::vector<Row> rows = files.open().nearest(wanted.key, classOf(wanted.shape), wanted.machine);
  REQUIRE(rows.size() == 3);
  CHECK((rows[0].distance == 0 && rows[1].distance == 0.5 && rows[2].distance == 2));
  CHECK(rows[1].origin == Origin::user);
  CHECK(rows[1].text() == fmt::format("row {} of {} (user), at distance 0.5, measured 2026-11-29 on Processor 1",
                                      rows[1].stored.digest.hex().substr(0, 8), files.path(Origin::user).string()));
}

TEST_CASE("a row of another key is never taken", "[database]") {
  Files files;
  files.add(Origin::user, changed("x", [](Record &r) { r.key.spec = digestOf("other").hex(); }));
  files.add(Origin::user, changed("x", [](Record &r) { r.key.target = "cpu:v3"; }));
  files.add(Origin::user, changed("x", [](Record &r) { r.key.dtype = "bf16"; }));
  files.add(Origin::user, changed("x", [](Record &r) { r.key.headDim = 64; }));
  files.add(Origin::user, changed("x", [](Record &r) { r.key.valueDim = 128; }));
  files.add(Origin::user, changed("x", [](Record &r) { r.key.direction = "forward"; }));
  CHECK(files.schedule().empty());
}

TEST_CASE("at equal distance user, system and shipped are trusted in this order", "[database]") {
  Files files;
  files.add(Origin::shipped, changed("shipped", [](Record &r) { r.date = "2027-01-01T00:00:00Z"; }));
  CHECK(files.schedule() == "shipped");
  files.add(Origin::system, named("system"));
  CHECK(files.schedule() == "system");
  files.add(Origin::user, changed("user", [](Record &r) { r.shape.queries += 100; })); // the same class
  CHECK(files.schedule() == "user");
  files.add(Origin::user, changed("user, later", [](Record &r) { r.date = "2026-12-01T00:00:00Z"; }));
  CHECK(files.schedule() == "user, later");
}

TEST_CASE("rows of other devices are farther by 1, other units by half an octave's ratio", "[database]") {
  Files files;
  files.add(Origin::user, changed("foreign", [](Record &r) { r.machine.device = "Processor 2"; }));
  CHECK(files.schedule() == "foreign");
  files.add(Origin::shipped, changed("twice the keys", [](Record &r) { r.shape.keys *= 2; }));
  CHECK(files.schedule() == "twice the keys");
  files.add(Origin::shipped, changed("3 threads", [](Record &r) { r.machine.units = 3; })); // 0.29
  CHECK(files.schedule() == "3 threads");

  Files far;
  far.add(Origin::user, changed("x", [](Record &r) { r.machine.units = 64; })); // 2.5
  far.add(Origin::user, changed("x", [](Record &r) { r.machine.device = "y", r.machine.units = 16; }));
  far.add(Origin::user, changed("x", [](Record &r) { r.machine.device = "y", r.shape.keys *= 8; }));
  CHECK(far.schedule().empty());
  Record wanted = test::sampleRecord();
  CHECK(far.open().nearest(wanted.key, classOf(wanted.shape), {}).size() == 3); // a machine that is not known
}

TEST_CASE("rows of an earlier generator are farther by 1, those of a later one are not taken", "[database]") {
  Files files;
  files.add(Origin::user, changed("later", [](Record &r) { r.generator = generatorVersion + 1; }));
  CHECK(files.schedule().empty());
  files.add(Origin::user, changed("stale", [](Record &r) { r.generator = generatorVersion - 1; }));
  CHECK(files.schedule() == "stale");
  files.add(Origin::shipped, changed("fresh", [](Record &r) { r.shape.keys *= 2; }));
  CHECK(files.schedule() == "fresh");
}

TEST_CASE("driver and NVRTC are told, and cost nothing", "[database]") {
  Files files;
  files.add(Origin::user, changed("x", [](Record &r) { r.machine.driver = "570", r.machine.nvrtc = "13.0"; }));
  Record wanted = test::sampleRecord();
  std::optional<Row> row = files.open().lookup(wanted.key, classOf(wanted.shape), wanted.machine);
  REQUIRE(row);
  CHECK(row->distance == 0);
}

TEST_CASE("a bad record voids no other, and is told once with its place", "[database]") {
  std::vector<std::string> warnings;
  setLogSink([&](LogLevel, std::string_view line) { warnings.emplace_back(line); });
  Files files;
  files.add(Origin::user, named("first"));
  std::ofstream(files.path(Origin::user), std::ios::app) << "{\"half\":\n";
  files.add(Origin::user, changed("second", [](Record &r) { r.date = "2026-12-01T00:00:00Z"; }));
  CHECK(files.schedule() == "second");
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0] == "the tuning record is skipped: " + files.path(Origin::user).string() +
                           ":2: it does not end in a digest: it is cut off, or no record");
  warnings.clear();
  for (int i = 0; i < 100; ++i)
    std::ofstream(files.path(Origin::system), std::ios::app) << "noise\n";
  CHECK(files.schedule() == "second");
  REQUIRE(warnings.size() == 1 + 8 + 1);
  CHECK(warnings.back() == files.path(Origin::system).string() + ": 92 more tuning records are skipped");
  CHECK(files.open().badLines().size() == 101);
  setLogSink({});
}

TEST_CASE("a database that cannot be read is as good as none", "[database]") {
  test::TempDir dir;
  Database database = Database::open({{Origin::user, dir.path()}, {Origin::system, ""}, {Origin::system, "/no/such"}});
  CHECK(database.rows().empty());
  REQUIRE(database.badLines().size() == 1);
  CHECK_THAT(database.badLines()[0].text(), Catch::Contains("it is not a regular file"));
}

TEST_CASE("an embedded row is told without a file", "[database]") {
  Row row{.stored = test::stored(test::sampleRecord()), .origin = Origin::shipped, .file = "(shipped)"};
  CHECK(row.text() ==
        "shipped row " + row.stored.digest.hex().substr(0, 8) + ", at distance 0, measured 2026-11-29 on Processor 1");
}

TEST_CASE("every shipped row is a record", "[database]") {
  Database database = Database::open({{Origin::shipped, {}}});
  CHECK(database.badLines().empty());
  for (const Row &row : database.rows()) {
    INFO(row.text());
    CHECK(row.file == "(shipped)");
    CHECK_FALSE(row.record().machine.device.empty());
  }
}

TEST_CASE("the user's file is TERCET_DB, else in the data directory", "[database]") {
  CHECK(resolveUserDatabase("/a/b", "/x", "/h") == "/a/b");
  CHECK(resolveUserDatabase("", "/x", "/h") == "/x/tercet/tuning.jsonl");
  CHECK(resolveUserDatabase("", "relative", "/h") == "/h/.local/share/tercet/tuning.jsonl");
  CHECK(resolveUserDatabase("", nullptr, "/h") == "/h/.local/share/tercet/tuning.jsonl");
  CHECK(resolveUserDatabase("", nullptr, nullptr).empty());
  std::vector<Source> sources = defaultSources("mine.jsonl");
  REQUIRE(sources.size() == 3);
  CHECK((sources[0].origin == Origin::user && sources[0].path == "mine.jsonl"));
  CHECK((sources[1].origin == Origin::system && sources[1].path == systemDatabase()));
  CHECK((sources[2].origin == Origin::shipped && sources[2].path.empty()));
}

TEST_CASE("a database of one key has the rows of its spec and target alone, and says nothing of other lines",
          "[database]") {
  Files files;
  files.add(Origin::user, named("kept"));
  files.add(Origin::user,
            changed("another spec", [](Record &r) { r.key.spec.back() = r.key.spec.back() == '0' ? '1' : '0'; }));
  files.add(Origin::user, changed("another target", [](Record &r) { r.key.target = "cpu:portable"; }));
  std::ofstream(files.path(Origin::user), std::ios::app) << "no record\n";
  Database database = Database::openFor({{Origin::user, files.path(Origin::user)}}, test::sampleRecord().key);
  REQUIRE(database.rows().size() == 1);
  CHECK(database.rows()[0].record().schedules[0].second == "kept");
  CHECK(database.badLines().empty());
  CHECK(files.open().rows().size() == 3);
}
