// JsonFields: checked access to fields of untrusted JSON. The first fault sticks; later reads return neutral values, so
// that reading code needs no branch per field.
#pragma once

#include "tercet/Plan.h"
#include "tercet/Status.h"

#include <nlohmann/json.hpp>

namespace tercet {

class JsonFields {
public:
  using Json = nlohmann::json;

  /// owner: whose manifest it is, for messages.
  explicit JsonFields(std::string owner = "artifact") : owner(std::move(owner)) {}

  /// Untrusted text. Nesting is bounded before the JSON library sees it, and that runs without exceptions.
  Json parse(std::string_view text);

  std::string text(const Json &object, const char *field, size_t limit);
  /// Text for messages and look-ups: at most longestName bytes, no control characters.
  std::string name(const Json &object, const char *field);
  int64_t integer(const Json &object, const char *field, int64_t minimum, int64_t maximum);
  double finite(const Json &object, const char *field);
  bool boolean(const Json &object, const char *field);
  Expr expr(const Json &object, const char *field);
  /// A value of an array that must be text.
  std::string textValue(const Json &value, const char *what, size_t limit);
  std::string nameValue(const Json &value, const char *what);
  Expr exprValue(const Json &value, const char *what);
  int64_t integerValue(const Json &value, const char *what, int64_t minimum, int64_t maximum);
  /// Elements of an array field, at most `limit`; empty after a fault.
  const Json &array(const Json &object, const char *field, size_t limit);
  const Json &object(const Json &object, const char *field);

  template <typename... Args> void fail(fmt::format_string<Args...> format, Args &&...args) {
    if (fault.ok())
      fault = Status::make(Code::invalidArgument, "the {}'s manifest is malformed: {}", owner,
                           fmt::format(format, std::forward<Args>(args)...));
  }
  bool failed() const { return !fault.ok(); }
  Status takeStatus() { return std::move(fault); }

private:
  const Json &member(const Json &object, const char *field);
  std::string owner;
  Status fault;
};

} // namespace tercet
