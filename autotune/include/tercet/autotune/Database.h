// Database: the records of several files, and which of them serves a program best. docs/autotuning.md#database
#pragma once

#include "tercet/autotune/RecordFile.h"

namespace tercet::tune {

/// In order of trust: at equal distance the earlier one's row is taken.
enum class Origin { user, system, shipped };
std::string_view originName(Origin origin);

struct Source {
  Origin origin = Origin::user;
  std::filesystem::path path; ///< empty for what is embedded in this build
};

/// A record of a database, and how well it fits a lookup.
struct Row {
  StoredRecord stored;
  Origin origin = Origin::user;
  std::string file; ///< path, or "(shipped)"
  double distance = 0;

  const Record &record() const { return stored.record; }
  /// As in "row 0123abcd of FILE (user), at distance 0.5, measured 2026-11-29 on DEVICE", or "shipped row 0123abcd, at ..".
  std::string text() const;
};

/// TERCET_DB, else $XDG_DATA_HOME/tercet/tuning.jsonl, else ~/.local/share/tercet/tuning.jsonl; empty when none of them
/// is known. The arguments are the values of TERCET_DB, XDG_DATA_HOME and HOME; a relative XDG_DATA_HOME is ignored, as
/// its standard asks.
std::filesystem::path resolveUserDatabase(const std::string &database, const char *xdgDataHome, const char *home);
/// The same from this process's environment: where the tuner writes.
std::filesystem::path userDatabase();
/// /etc/tercet/tuning.jsonl: an administrator's rows.
std::filesystem::path systemDatabase();
/// User, system and shipped. `user` stands in for the user's file where it is not empty.
std::vector<Source> defaultSources(const std::filesystem::path &user = {});

/// Immutable once opened; may be read by many threads.
class Database {
public:
  /// Reads what is there. What is no record is skipped, with one warning each to the log, up to a few per file.
  static Database open(const std::vector<Source> &sources) { return openWith(sources, {}); }
  /// Those rows alone that a lookup of this key may take: reading a line costs what comparing hundreds does.
  static Database openFor(const std::vector<Source> &sources, const RecordKey &key) {
    return openWith(sources, {key.spec, '"' + key.target + '"'});
  }

  /// Every row, files in order of trust, lines in order; distances are 0.
  const std::vector<Row> &rows() const { return all; }
  const std::vector<BadLine> &badLines() const { return bad; }

  /// Rows that a program may use, best first: equal key, a generator that is not later than this one's, and a distance
  /// of at most `farthest`. The distance is that of the classes; 1 more for another device; half an octave's ratio of
  /// units; and 1 more for an earlier generator. At equal distance: trust, then what mergeRecords prefers. What is not
  /// known of the machine costs nothing.
  std::vector<Row> nearest(const RecordKey &key, const ProblemClass &problem, const Machine &machine) const;
  /// The first of these.
  std::optional<Row> lookup(const RecordKey &key, const ProblemClass &problem, const Machine &machine) const;

private:
  static Database openWith(const std::vector<Source> &sources, const std::vector<std::string> &words);
  void add(const Source &source, const std::vector<std::string> &words);

  std::vector<Row> all;
  std::vector<BadLine> bad;
};

} // namespace tercet::tune
