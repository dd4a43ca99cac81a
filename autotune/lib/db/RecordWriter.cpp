// Record to line. Whether a record is legal is the reader's to say: what is written is read again.
#include "RecordFields.h"

#include <nlohmann/json.hpp>

#include <ctime>

namespace tercet::tune {
namespace {

using WrittenJson = nlohmann::ordered_json;

class RecordWriter {
public:
  WrittenJson object = {{"tercet_tuning", recordFormat}};

  void text(const char *field, const std::string &value) { object[field] = value; }
  void digits(const char *field, const std::string &value) { object[field] = value; }
  void date(const char *field, const std::string &value) { object[field] = value; }
  void choice(const char *field, const std::string &value, std::initializer_list<std::string_view>) {
    object[field] = value;
  }
  void integer(const char *field, int64_t value, int64_t, int64_t) { object[field] = value; }
  void fraction(const char *field, std::optional<double> value) {
    object[field] = value ? WrittenJson(*value) : nullptr;
  }
  void cost(const char *field, const std::optional<Cost> &value) {
    object[field] = nullptr;
    if (value)
      object[field] = {
          {"median", value->median}, {"lower", value->lower}, {"upper", value->upper}, {"samples", value->samples}};
  }
  void schedules(const char *field, const std::vector<std::pair<std::string, std::string>> &values) {
    object[field] = WrittenJson::object();
    for (const auto &[kernel, schedule] : values)
      object[field][kernel] = schedule;
  }
};

} // namespace

std::string dateNow() {
  std::time_t now = std::time(nullptr);
  std::tm parts = {};
  gmtime_r(&now, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

Result<std::string> recordLine(const Record &record) {
  RecordWriter writer;
  visitFields(writer, record);
  std::string line = writer.object.dump(-1, ' ', false, WrittenJson::error_handler_t::replace);
  line.pop_back();
  line += fmt::format(R"(,"digest":"{}"}})", digestOf(line).hex());
  TERCET_TRY(StoredRecord again, parseRecord(line));
  if (again.record != record)
    return Status::make(Code::invalidArgument, "a name or schedule is no UTF-8, or a kernel has two schedules");
  return line;
}

} // namespace tercet::tune
