// Files of records. Appending writes one line with one call; rewriting goes through a file beside and a rename. Both hold
// FILE.lock, not a lock of the file itself, which a rename would replace under its holder.
#include "tercet/autotune/RecordFile.h"

#include "tercet/AtomicFile.h"
#include "tercet/FileLock.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <unordered_set>

namespace tercet::tune {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds lockPatience{30}; // a writer holds it for milliseconds, but locks are not queued

Status cannotWrite(const fs::path &file, std::string_view reason) {
  return Status::make(Code::invalidArgument, "cannot write {}: {}", file.string(), reason);
}

/// The file itself where its name is a link, so that a rename leaves the link alone.
fs::path behindLinks(const fs::path &file) {
  std::error_code error;
  fs::path target = fs::canonical(file, error);
  return error ? file : target;
}

Result<std::unique_ptr<FileLock>> lockOf(const fs::path &file) {
  if (file.empty())
    return Status::make(Code::invalidArgument, "no tuning database is known; set TERCET_DB, XDG_DATA_HOME or HOME");
  std::error_code error;
  if (file.has_parent_path())
    fs::create_directories(file.parent_path(), error); // the lock says what is wrong where this fails
  fs::path name = file;
  name += ".lock";
  return FileLock::acquire(name, lockPatience);
}

struct OpenedFile {
  int descriptor;
  ~OpenedFile() { ::close(descriptor); }
};

/// Appends a line; takes back what it wrote where that was not all.
Status appendLine(const fs::path &path, std::string line) {
  OpenedFile file{::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0666)};
  if (file.descriptor < 0)
    return cannotWrite(path, std::strerror(errno));
  struct stat info;
  if (::fstat(file.descriptor, &info) != 0 || !S_ISREG(info.st_mode))
    return cannotWrite(path, "it is not a regular file");
  off_t size = info.st_size;
  char last = '\n';
  if (size > 0 && ::pread(file.descriptor, &last, 1, size - 1) != 1)
    return cannotWrite(path, std::strerror(errno));
  if (last != '\n') // an interrupted write's: it ends here, and voids itself alone
    line.insert(0, "\n");
  line += '\n';
  if (static_cast<uint64_t>(size) + line.size() > largestFile)
    return cannotWrite(path, fmt::format("it would be longer than {} bytes; prune it", largestFile));
  std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t *>(line.data()), line.size());
  if (!writeFully(file.descriptor, bytes) || ::fsync(file.descriptor) != 0) {
    int error = errno;
    bool isRestored = ::ftruncate(file.descriptor, size) == 0;
    return cannotWrite(path,
                       fmt::format("{}{}", std::strerror(error), isRestored ? "" : "; it may end in half a line"));
  }
  return {};
}

Status writeRecords(const fs::path &file, const std::vector<StoredRecord> &records) {
  std::string text;
  for (const StoredRecord &stored : records)
    text += stored.line + "\n";
  return writeFileAtomically(file, {reinterpret_cast<const uint8_t *>(text.data()), text.size()});
}

/// A file that must be there; unlike its lines, it has no right to be bad.
Result<RecordLines> readWholly(const fs::path &file) {
  RecordLines lines = readRecordFile(file);
  if (!lines.bad.empty() && lines.bad.front().line == 0)
    return Status::make(Code::invalidArgument, "{}", lines.bad.front().reason);
  return lines;
}

} // namespace

std::string BadLine::text() const {
  return line > 0 ? fmt::format("{}:{}: {}", file, line, reason) : fmt::format("{}: {}", file, reason);
}

RecordLines readRecords(std::string_view text, const std::string &file, const std::vector<std::string> &words) {
  RecordLines result;
  int64_t number = 0;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    ++number;
    if (line.ends_with('\r'))
      line.remove_suffix(1);
    auto holds = [&](const std::string &word) { return line.find(word) != std::string_view::npos; };
    if (line.empty() || !std::all_of(words.begin(), words.end(), holds))
      continue;
    if (result.records.size() + result.bad.size() >= mostLines) {
      result.bad.push_back({file, number, fmt::format("this and what follows is not read: {} lines are", mostLines)});
      break;
    }
    Result<StoredRecord> stored = parseRecord(line);
    if (stored.ok()) {
      stored->lineNumber = number;
      result.records.push_back(*std::move(stored));
    } else {
      result.bad.push_back({file, number, stored.status().message()});
    }
  }
  return result;
}

RecordLines readRecordFile(const fs::path &file, const std::vector<std::string> &words) {
  std::error_code error;
  if (file.empty() || (!fs::exists(file, error) && !error))
    return {};
  Result<std::vector<uint8_t>> bytes = readWholeFile(file, largestFile);
  if (!bytes.ok())
    return {.records = {}, .bad = {{file.string(), 0, bytes.status().message()}}};
  return readRecords({reinterpret_cast<const char *>(bytes->data()), bytes->size()}, file.string(), words);
}

Status append(const fs::path &name, const Record &record) {
  TERCET_TRY(std::string line, recordLine(record));
  fs::path file = behindLinks(name);
  TERCET_TRY(std::unique_ptr<FileLock> lock, lockOf(file));
  return appendLine(file, std::move(line));
}

Result<MergeCounts> mergeFiles(const fs::path &name, const std::vector<fs::path> &others) {
  fs::path file = behindLinks(name);
  MergeCounts counts;
  std::vector<StoredRecord> records;
  for (const fs::path &other : others) {
    std::error_code error;
    if (!fs::exists(other, error))
      return Status::make(Code::invalidArgument, "cannot read {}: there is no such file", other.string());
    TERCET_TRY(RecordLines lines, readWholly(other));
    std::move(lines.records.begin(), lines.records.end(), std::back_inserter(records));
    std::move(lines.bad.begin(), lines.bad.end(), std::back_inserter(counts.bad));
  }
  TERCET_TRY(std::unique_ptr<FileLock> lock, lockOf(file));
  TERCET_TRY(RecordLines before, readWholly(file));
  std::move(before.bad.begin(), before.bad.end(), std::back_inserter(counts.bad));
  std::unordered_set<std::string> old;
  for (const StoredRecord &stored : before.records)
    old.insert(stored.digest.hex());
  std::move(before.records.begin(), before.records.end(), std::back_inserter(records));
  records = mergeRecords(std::move(records));
  size_t kept = 0;
  for (const StoredRecord &stored : records)
    kept += old.contains(stored.digest.hex());
  counts.records = records.size();
  counts.added = records.size() - kept;
  counts.replaced = old.size() - kept;
  TERCET_RETURN_IF_ERROR(writeRecords(file, records));
  return counts;
}

Result<PruneCounts> pruneFile(const fs::path &name, const std::string &before) {
  fs::path file = behindLinks(name);
  std::error_code error;
  if (!file.empty() && !fs::exists(file, error))
    return PruneCounts{};
  TERCET_TRY(std::unique_ptr<FileLock> lock, lockOf(file));
  TERCET_TRY(RecordLines lines, readWholly(file));
  PruneCounts counts;
  counts.bad = lines.bad.size();
  size_t all = lines.records.size();
  std::vector<StoredRecord> records = mergeRecords(std::move(lines.records));
  counts.superseded = all - records.size();
  counts.stale =
      std::erase_if(records, [](const StoredRecord &stored) { return stored.record.generator < generatorVersion; });
  counts.old = std::erase_if(records, [&](const StoredRecord &stored) { return stored.record.date < before; });
  counts.records = records.size();
  TERCET_RETURN_IF_ERROR(writeRecords(file, records));
  return counts;
}

} // namespace tercet::tune
