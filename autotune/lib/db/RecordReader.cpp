// Line to record. The line is untrusted: its length and nesting are bounded, the digest is checked over its bytes before
// anything is read from it, and the JSON library runs without exceptions.
#include "RecordFields.h"

#include "tercet/Spelling.h"
#include "tercet/autotune/RecordFile.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace tercet::tune {
namespace {

using ReadJson = nlohmann::ordered_json; // keeps the order of schedules

constexpr std::string_view digestMark = R"(,"digest":")";
constexpr size_t digestDigits = 32;

/// Fields of an object. The first fault sticks; later reads leave their values.
class RecordReader {
public:
  explicit RecordReader(const ReadJson &object) : object(object) {}

  void text(const char *field, std::string &value) {
    if (const ReadJson *found = member(field))
      take(field, *found, value, longestName);
  }
  void digits(const char *field, std::string &value) {
    text(field, value);
    Digest digest;
    if (!failed() && !Digest::parseHex(value, digest))
      fail("'{}' must be 32 hexadecimal digits", field);
  }
  void date(const char *field, std::string &value) {
    constexpr std::string_view pattern = "0000-00-00T00:00:00Z";
    text(field, value);
    auto fits = [](char c, char p) { return p == '0' ? c >= '0' && c <= '9' : c == p; };
    if (!failed() && !std::equal(value.begin(), value.end(), pattern.begin(), pattern.end(), fits))
      fail("'{}' must be a time in UTC such as 2026-11-29T17:30:00Z", field);
  }
  void choice(const char *field, std::string &value, std::initializer_list<std::string_view> legal) {
    text(field, value);
    if (!failed() && std::find(legal.begin(), legal.end(), value) == legal.end())
      fail("'{}' is '{}'; legal are {}", field, excerpt(value), fmt::join(legal, ", "));
  }
  void integer(const char *field, int64_t &value, int64_t minimum, int64_t maximum) {
    if (const ReadJson *found = member(field))
      take(field, *found, value, minimum, maximum);
  }
  void fraction(const char *field, double &value) {
    if (const ReadJson *found = member(field))
      takeNumber(field, *found, value, 1);
  }
  void fraction(const char *field, std::optional<double> &value) {
    const ReadJson *found = member(field);
    if (found && !found->is_null())
      takeNumber(field, *found, value.emplace(), 1);
  }
  void cost(const char *field, Cost &value) {
    if (const ReadJson *found = member(field))
      takeCost(field, *found, value);
  }
  void cost(const char *field, std::optional<Cost> &value) {
    const ReadJson *found = member(field);
    if (found && !found->is_null())
      takeCost(field, *found, value.emplace());
  }
  void schedules(const char *field, std::vector<std::pair<std::string, std::string>> &values) {
    const ReadJson *found = member(field);
    if (!found)
      return;
    if (!found->is_object() || found->size() > mostSchedules)
      return fail("'{}' must be an object of at most {} schedules", field, mostSchedules);
    for (const auto &[kernel, schedule] : found->items()) {
      if (kernel.size() > longestName || hasControlCharacter(kernel))
        return fail("a kernel's name must be at most {} bytes without control characters", longestName);
      take("a schedule", schedule, values.emplace_back(kernel, "").second, longestSchedule);
    }
  }

  template <typename... Args> void fail(fmt::format_string<Args...> format, Args &&...args) {
    if (fault.ok())
      fault = Status::make(Code::invalidArgument, format, std::forward<Args>(args)...);
  }
  bool failed() const { return !fault.ok(); }
  Status takeStatus() { return std::move(fault); }

private:
  const ReadJson *member(const char *field) {
    if (failed())
      return nullptr;
    if (auto found = object.find(field); found != object.end())
      return &*found;
    fail("the field '{}' is missing", field);
    return nullptr;
  }
  void take(const char *field, const ReadJson &json, std::string &value, size_t limit) {
    const std::string *text = json.get_ptr<const std::string *>();
    if (text && text->size() <= limit && !hasControlCharacter(*text))
      value = *text;
    else
      fail("'{}' must be text of at most {} bytes without control characters", field, limit);
  }
  void take(const char *field, const ReadJson &json, int64_t &value, int64_t minimum, int64_t maximum) {
    bool fits = json.is_number_integer() &&
                (!json.is_number_unsigned() || json.get<uint64_t>() <= static_cast<uint64_t>(INT64_MAX));
    if (fits && json.get<int64_t>() >= minimum && json.get<int64_t>() <= maximum)
      value = json.get<int64_t>();
    else
      fail("'{}' must be a whole number from {} to {}", field, minimum, maximum);
  }
  void takeNumber(const char *field, const ReadJson &json, double &value, double maximum) {
    double number = json.is_number() ? json.get<double>() : -1;
    if (number >= 0 && number <= maximum)
      value = number;
    else
      fail("'{}' must be a number from 0 to {:g}", field, maximum);
  }
  void takeCost(const char *field, const ReadJson &json, Cost &value) {
    if (!json.is_object())
      return fail("'{}' must be an object", field);
    RecordReader inner(json);
    const std::pair<const char *, double *> parts[] = {
        {"lower", &value.lower}, {"median", &value.median}, {"upper", &value.upper}};
    for (auto [part, number] : parts)
      if (const ReadJson *found = inner.member(part))
        inner.takeNumber(part, *found, *number, longestMs);
    inner.integer("samples", value.samples, 1, largestSize);
    if (!inner.failed() && !(0 < value.lower && value.lower <= value.median && value.median <= value.upper))
      inner.fail("lower, median and upper must be more than 0, and rise");
    if (inner.failed())
      fail("'{}': {}", field, inner.fault.message());
  }

  const ReadJson &object;
  Status fault;
};

Status unreadable(std::string_view reason) { return Status::make(Code::invalidArgument, "{}", reason); }

/// The digest that ends the line, if it is that of what stands before.
Result<Digest> checkedDigest(std::string_view line) {
  size_t tail = digestMark.size() + digestDigits + 2;
  if (line.size() < tail || !line.ends_with("\"}") || line.substr(line.size() - tail, digestMark.size()) != digestMark)
    return unreadable("it does not end in a digest: it is cut off, or no record");
  Digest stated, computed = digestOf(line.substr(0, line.size() - tail));
  if (!Digest::parseHex(line.substr(line.size() - digestDigits - 2, digestDigits), stated) || stated != computed)
    return unreadable("its digest does not match: it was damaged, or changed by hand");
  return computed;
}

} // namespace

Result<StoredRecord> parseRecord(std::string_view line) {
  constexpr int deepestRecord = 2;
  if (line.size() > longestLine)
    return Status::make(Code::invalidArgument, "it is longer than {} bytes", longestLine);
  TERCET_TRY(Digest digest, checkedDigest(line));
  bool isDeep = false;
  auto shallow = [&](int depth, ReadJson::parse_event_t, ReadJson &) {
    isDeep |= depth > deepestRecord;
    return !isDeep;
  };
  ReadJson object = ReadJson::parse(line, shallow, false);
  if (isDeep || object.is_discarded() || !object.is_object())
    return unreadable(isDeep ? "it is nested too deeply" : "it is no JSON object");
  RecordReader reader(object);
  int64_t format = 0;
  reader.integer("tercet_tuning", format, 1, largestSize);
  if (!reader.failed() && format != recordFormat)
    reader.fail("its format is {}; this Tercet reads {}", format, recordFormat);
  StoredRecord stored{.record = {}, .digest = digest, .line = std::string(line)};
  if (!reader.failed())
    visitFields(reader, stored.record);
  if (reader.failed())
    return reader.takeStatus();
  return stored;
}

} // namespace tercet::tune
