#include "tercet/JsonFields.h"

#include "ManifestLimits.h"

#include "tercet/ExprText.h"
#include "tercet/Spelling.h"

#include <cmath>

namespace tercet {
namespace {

const nlohmann::json missing;
const nlohmann::json emptyArray = nlohmann::json::array();

/// Depth of brackets outside strings.
int nestingOf(std::string_view text) {
  int depth = 0, deepest = 0;
  bool inString = false;
  for (size_t index = 0; index < text.size(); ++index) {
    char c = text[index];
    if (inString) {
      if (c == '\\')
        ++index;
      else if (c == '"')
        inString = false;
    } else if (c == '"') {
      inString = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return deepest;
}

} // namespace

JsonFields::Json JsonFields::parse(std::string_view text) {
  if (nestingOf(text) > deepestNesting) {
    fail("it nests deeper than {}", deepestNesting);
    return {};
  }
  Json root = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!root.is_discarded())
    return root;
  fail("it is not JSON");
  return {};
}

const JsonFields::Json &JsonFields::member(const Json &object, const char *field) {
  if (failed())
    return missing;
  if (object.is_object())
    if (auto entry = object.find(field); entry != object.end())
      return *entry;
  fail("the field '{}' is missing", field);
  return missing;
}

std::string JsonFields::textValue(const Json &value, const char *what, size_t limit) {
  if (failed())
    return {};
  const std::string *text = value.get_ptr<const std::string *>();
  if (text && text->size() <= limit)
    return *text;
  fail("'{}' must be text of at most {} bytes", what, limit);
  return {};
}

std::string JsonFields::text(const Json &object, const char *field, size_t limit) {
  return textValue(member(object, field), field, limit);
}

std::string JsonFields::nameValue(const Json &value, const char *what) {
  std::string name = textValue(value, what, longestName);
  if (hasControlCharacter(name))
    fail("'{}' holds a control character", what);
  return name;
}

std::string JsonFields::name(const Json &object, const char *field) { return nameValue(member(object, field), field); }

int64_t JsonFields::integer(const Json &object, const char *field, int64_t minimum, int64_t maximum) {
  return integerValue(member(object, field), field, minimum, maximum);
}

int64_t JsonFields::integerValue(const Json &value, const char *field, int64_t minimum, int64_t maximum) {
  if (failed())
    return minimum;
  bool fits = value.is_number_integer() &&
              (!value.is_number_unsigned() || value.get<uint64_t>() <= static_cast<uint64_t>(INT64_MAX));
  if (fits && value.get<int64_t>() >= minimum && value.get<int64_t>() <= maximum)
    return value.get<int64_t>();
  fail("'{}' must be a whole number from {} to {}", field, minimum, maximum);
  return minimum;
}

double JsonFields::finite(const Json &object, const char *field) {
  const Json &value = member(object, field);
  if (failed())
    return 0;
  if (value.is_number() && std::isfinite(value.get<double>()))
    return value.get<double>();
  fail("'{}' must be a finite number", field);
  return 0;
}

bool JsonFields::boolean(const Json &object, const char *field) {
  const Json &value = member(object, field);
  if (failed())
    return false;
  if (value.is_boolean())
    return value.get<bool>();
  fail("'{}' must be true or false", field);
  return false;
}

Expr JsonFields::exprValue(const Json &value, const char *what) {
  constexpr size_t longestExpr = 16384;
  std::string text = textValue(value, what, longestExpr);
  if (failed())
    return 0;
  Result<Expr> expr = parseExprPostfix(text);
  if (expr.ok())
    return *std::move(expr);
  fail("'{}': {}", what, expr.status().message());
  return 0;
}

Expr JsonFields::expr(const Json &object, const char *field) { return exprValue(member(object, field), field); }

const JsonFields::Json &JsonFields::array(const Json &object, const char *field, size_t limit) {
  const Json &value = member(object, field);
  if (failed())
    return emptyArray;
  if (value.is_array() && value.size() <= limit)
    return value;
  fail("'{}' must be a list of at most {} elements", field, limit);
  return emptyArray;
}

const JsonFields::Json &JsonFields::object(const Json &object, const char *field) {
  const Json &value = member(object, field);
  if (!failed() && !value.is_object())
    fail("'{}' must be an object", field);
  return failed() ? missing : value;
}

} // namespace tercet
