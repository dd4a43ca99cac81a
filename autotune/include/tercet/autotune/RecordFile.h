// RecordFile: a tuning database as a file of records, one a line. Readers take no lock; writers hold FILE.lock, so that
// none loses what another wrote.
#pragma once

#include "tercet/autotune/Record.h"

#include <filesystem>

namespace tercet::tune {

inline constexpr size_t longestLine = size_t{64} << 10, mostLines = size_t{1} << 16;
inline constexpr uint64_t largestFile = uint64_t{64} << 20;

/// A line that is no record.
struct BadLine {
  std::string file;
  int64_t line = 0; ///< 0: the whole file
  std::string reason;
  std::string text() const; ///< "FILE:LINE: REASON"
};

struct RecordLines {
  std::vector<StoredRecord> records;
  std::vector<BadLine> bad;
};

/// Every line by itself: a bad one voids no other. Empty lines are passed over. `file` is for messages.
/// words: lines that do not hold all of them are passed over, neither read nor checked.
RecordLines readRecords(std::string_view text, const std::string &file, const std::vector<std::string> &words = {});

/// The same of a file; empty when there is none. A file that cannot be read is one bad line.
RecordLines readRecordFile(const std::filesystem::path &file, const std::vector<std::string> &words = {});

/// Adds one line, whole or not at all; makes the file and its directory if need be. invalidArgument when the record is
/// not legal, or with the system's reason.
Status append(const std::filesystem::path &file, const Record &record);

struct MergeCounts {
  size_t records = 0;       ///< in the file, afterwards
  size_t added = 0;         ///< of these not there before
  size_t replaced = 0;      ///< there before, and gone for one that holds (mergeRecords)
  std::vector<BadLine> bad; ///< of all files; they are left out
};

/// Rewrites `file` as the merge of what it held and what `others` hold. Files merged in any order, and any number of
/// times, end as the same bytes. invalidArgument when one of `others` cannot be read, or `file` not written.
Result<MergeCounts> mergeFiles(const std::filesystem::path &file, const std::vector<std::filesystem::path> &others);

struct PruneCounts {
  size_t records = 0;    ///< in the file, afterwards
  size_t bad = 0;        ///< lines that were no records
  size_t superseded = 0; ///< by a record that holds (mergeRecords)
  size_t stale = 0;      ///< of an earlier generator
  size_t old = 0;        ///< from before `before`
};

/// Rewrites `file` without records that no lookup prefers: what is bad, superseded or stale, and what is dated before
/// `before` (a date as records have it; empty: any). Records of a later generator stay: they are a later Tercet's.
Result<PruneCounts> pruneFile(const std::filesystem::path &file, const std::string &before = {});

} // namespace tercet::tune
