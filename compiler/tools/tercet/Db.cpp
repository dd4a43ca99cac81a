// tercet db list|show|merge|prune: the tuning database.
#include "Command.h"

#include "tercet/autotune/Database.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace tercet::cli {
namespace {

const std::vector<std::string> dbActions = {"list", "show", "merge", "prune"};
constexpr size_t shownDigits = 8;

std::string shortDigest(const tune::Row &row) { return row.stored.digest.hex().substr(0, shownDigits); }

/// How many times the default's time the row's is; absent where the default's is not known.
std::optional<double> gainOf(const tune::Record &record) {
  return record.defaultCost ? std::optional(record.defaultCost->median / record.cost.median) : std::nullopt;
}

/// Of every row, what lookups think of it: "current", "superseded" (by another of its origin), "stale" or "later" (of an
/// earlier or a later generator).
std::vector<std::string> statesOf(const std::vector<tune::Row> &rows) {
  std::map<tune::Origin, std::vector<tune::StoredRecord>> perOrigin;
  for (const tune::Row &row : rows)
    perOrigin[row.origin].push_back(row.stored);
  std::set<std::pair<tune::Origin, Digest>> holding;
  for (auto &[origin, records] : perOrigin)
    for (const tune::StoredRecord &stored : tune::mergeRecords(std::move(records)))
      holding.emplace(origin, stored.digest);
  std::vector<std::string> states;
  for (const tune::Row &row : rows) {
    int64_t generator = row.record().generator;
    bool holds = holding.contains({row.origin, row.stored.digest});
    states.push_back(!holds                               ? "superseded"
                     : generator < tune::generatorVersion ? "stale"
                     : generator > tune::generatorVersion ? "later"
                                                          : "current");
  }
  return states;
}

/// The record's own fields, after what the database knows of it.
Json rowJson(const tune::Row &row, const std::string &state) {
  Json object = {{"digest", row.stored.digest.hex()},
                 {"origin", tune::originName(row.origin)},
                 {"file", row.file},
                 {"line", row.stored.lineNumber},
                 {"state", state},
                 {"class", tune::classOf(row.record().shape).text()},
                 {"gain", nullptr}};
  if (std::optional<double> gain = gainOf(row.record()))
    object["gain"] = *gain;
  Json record = Json::parse(row.stored.line);
  for (const auto &[field, value] : record.items())
    if (field != "digest")
      object[field] = value;
  return object;
}

std::vector<std::string> rowCells(const tune::Row &row, const std::string &state) {
  const tune::Record &record = row.record();
  std::optional<double> gain = gainOf(record);
  return {shortDigest(row),
          std::string(tune::originName(row.origin)),
          record.specName,
          record.key.target,
          fmt::format("{} {}/{}{}", record.key.dtype, record.key.headDim, record.key.valueDim,
                      record.key.direction == "inference" ? "" : " " + record.key.direction),
          tune::classOf(record.shape).text(),
          fmt::format("{:.4g}", record.cost.median),
          gain ? fmt::format("{:.2f} x", *gain) : "-",
          record.date.substr(0, 10),
          state};
}

/// Columns as wide as their widest cell.
std::string tableText(const std::vector<std::vector<std::string>> &rows) {
  std::vector<size_t> widths(rows.front().size(), 0);
  for (const auto &row : rows)
    for (size_t column = 0; column < row.size(); ++column)
      widths[column] = std::max(widths[column], row[column].size());
  std::string text;
  for (const auto &row : rows) {
    std::string line;
    for (size_t column = 0; column < row.size(); ++column)
      line += fmt::format("{:<{}}", row[column], widths[column] + 2);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string costText(const tune::Cost &cost) {
  return fmt::format("{:.5g} ms, quartiles {:.5g} to {:.5g}, of {}", cost.median, cost.lower, cost.upper, cost.samples);
}

std::string recordText(const tune::Row &row, const std::string &state) {
  const tune::Record &record = row.record();
  std::string text;
  auto line = [&](std::string_view name, const std::string &value) { text += fmt::format("{:<11} {}\n", name, value); };
  line("row", fmt::format("{} ({})", row.stored.digest.hex(), state));
  line("from", fmt::format("{}:{} ({})", row.file, row.stored.lineNumber, tune::originName(row.origin)));
  line("spec", fmt::format("{} ({})", record.specName, record.key.spec));
  line("target", fmt::format("{}, {}, head dimension {}, value dimension {}, {}", record.key.target, record.key.dtype,
                             record.key.headDim, record.key.valueDim, record.key.direction));
  line("call", fmt::format("{} batch x heads, {} per key head, {} queries, {} keys, kept {:.3g} %, overlap {}",
                           record.shape.batchHeads, record.shape.headsPerKeyHead, record.shape.queries,
                           record.shape.keys, 100 * record.shape.kept,
                           record.shape.overlap ? fmt::format("{:.3g}", *record.shape.overlap) : "not known"));
  line("class", tune::classOf(record.shape).text());
  line("time", costText(record.cost));
  line("default", record.defaultCost ? costText(*record.defaultCost) : "not measured");
  line("device", fmt::format("{}, {} units{}{}", record.machine.device, record.machine.units,
                             record.machine.driver.empty() ? "" : ", driver " + record.machine.driver,
                             record.machine.nvrtc.empty() ? "" : ", NVRTC " + record.machine.nvrtc));
  line("measured", fmt::format("{}, by generator {}", record.date, record.generator));
  for (const auto &[kernel, schedule] : record.schedules)
    line("schedule", fmt::format("{}: {}", kernel, schedule));
  if (record.schedules.empty())
    line("schedule", "the analytic default was the best");
  return text;
}

Json badJson(const std::vector<tune::BadLine> &bad) {
  Json list = Json::array();
  for (const tune::BadLine &line : bad)
    list.push_back({{"file", line.file}, {"line", line.line}, {"reason", line.reason}});
  return list;
}

/// A day, or a time as records have it, or the beginning of one.
bool isDate(std::string_view text) {
  constexpr std::string_view pattern = "0000-00-00T00:00:00Z", day = "0000-00-00";
  auto fits = [](char c, char p) { return p == '0' ? c >= '0' && c <= '9' : c == p; };
  return (text.size() == day.size() || text.size() == pattern.size()) &&
         std::equal(text.begin(), text.end(), pattern.begin(), fits);
}

class DbCommand final : public Command {
public:
  std::string name() const override { return "db"; }
  std::string summary() const override { return "list, show, merge or prune the tuning database"; }
  void declare(Options &options) override {
    options.choice("ACTION", action, dbActions, "what to do");
    options.words("WORD", words, "merge: files to take rows from; show: the first digits of a row's digest");
    options.text("--db", file, "FILE", "in place of the user's database (TERCET_DB, or the data directory)");
    options.text("--before", before, "DATE", "prune: also drop rows of before this day, such as 2026-11-29");
    options.json(json);
  }

  Result<ExitCode> run() override {
    if (action.empty())
      return Status::make(Code::invalidArgument, "what to do with the tuning database is missing; legal are {}",
                          fmt::join(dbActions, ", "));
    if (!before.empty() && (action != "prune" || !isDate(before)))
      return Status::make(Code::invalidArgument,
                          "--before is '{}'; it goes with prune, and is a day such as 2026-11-29", before);
    size_t least = action == "merge" || action == "show" ? 1 : 0, most = action == "merge" ? SIZE_MAX : least;
    if (words.size() < least)
      return Status::make(Code::invalidArgument, "tercet db {}",
                          action == "show" ? "show needs the first digits of a row's digest; see 'tercet db list'"
                                           : "merge needs the files to take rows from");
    if (words.size() > most)
      return Status::make(Code::invalidArgument, "'{}' is one word too many for 'tercet db {}'", words[most], action);
    return action == "list" ? list() : action == "show" ? show() : action == "merge" ? merge() : prune();
  }

private:
  std::filesystem::path target() const { return file.empty() ? tune::userDatabase() : std::filesystem::path(file); }
  Json heading() const { return {{"command", "db"}, {"action", action}}; }
  Result<ExitCode> print(const Json &object, const std::string &text) const {
    TERCET_RETURN_IF_ERROR(json ? printJson(object) : printText(text));
    return exitOk;
  }

  Result<ExitCode> list() const {
    tune::Database database = tune::Database::open(tune::defaultSources(file));
    std::vector<std::string> states = statesOf(database.rows());
    Json object = heading();
    object["file"] = target().string();
    object["generator"] = tune::generatorVersion;
    object["rows"] = Json::array();
    std::vector<std::vector<std::string>> table = {
        {"row", "origin", "spec", "target", "program", "class", "ms", "gain", "measured", "state"}};
    for (size_t i = 0; i < states.size(); ++i) {
      object["rows"].push_back(rowJson(database.rows()[i], states[i]));
      table.push_back(rowCells(database.rows()[i], states[i]));
    }
    object["bad"] = badJson(database.badLines());
    return print(object, (states.empty() ? "" : tableText(table)) +
                             fmt::format("{} rows, {} lines that are none; the user's are in {}\n", states.size(),
                                         database.badLines().size(), target().string()));
  }

  Result<ExitCode> show() const {
    tune::Database database = tune::Database::open(tune::defaultSources(file));
    std::vector<std::string> states = statesOf(database.rows());
    std::optional<size_t> found;
    for (size_t i = 0; i < states.size(); ++i) {
      const Digest &digest = database.rows()[i].stored.digest;
      if (!digest.hex().starts_with(words[0]))
        continue;
      if (found && database.rows()[*found].stored.digest != digest)
        return Status::make(Code::invalidArgument, "several rows begin with '{}'; give more digits", words[0]);
      found = found.value_or(i); // of one row in several files, the most trusted
    }
    if (!found)
      return Status::make(Code::invalidArgument, "no row begins with '{}'; see 'tercet db list'", words[0]);
    Json object = heading();
    object["row"] = rowJson(database.rows()[*found], states[*found]);
    return print(object, recordText(database.rows()[*found], states[*found]));
  }

  Result<ExitCode> merge() const {
    TERCET_TRY(tune::MergeCounts counts, tune::mergeFiles(target(), {words.begin(), words.end()}));
    for (const tune::BadLine &line : counts.bad)
      printWarning("the tuning record is left out: " + line.text());
    Json object = heading();
    object.update({{"file", target().string()},
                   {"records", counts.records},
                   {"added", counts.added},
                   {"replaced", counts.replaced},
                   {"bad", badJson(counts.bad)}});
    return print(object, fmt::format("added {} rows, replaced {}; {} rows in {}\n", counts.added, counts.replaced,
                                     counts.records, target().string()));
  }

  Result<ExitCode> prune() const {
    TERCET_TRY(tune::PruneCounts counts, tune::pruneFile(target(), before));
    Json object = heading();
    object.update({{"file", target().string()},
                   {"records", counts.records},
                   {"bad", counts.bad},
                   {"superseded", counts.superseded},
                   {"stale", counts.stale},
                   {"old", counts.old}});
    return print(object,
                 fmt::format("removed {} damaged, {} superseded, {} stale and {} old rows; {} rows in {}\n", counts.bad,
                             counts.superseded, counts.stale, counts.old, counts.records, target().string()));
  }

  std::string action, file, before;
  std::vector<std::string> words;
  bool json = false;
};

} // namespace

std::unique_ptr<Command> makeDbCommand() { return std::make_unique<DbCommand>(); }

} // namespace tercet::cli
