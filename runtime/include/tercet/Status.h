// Status and Result<T>: how every public call of Tercet reports. No exceptions cross the API.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tercet {

/// What went wrong, by what the caller should do about it.
enum class Code {
  ok,
  invalidSpec,       ///< the spec does not parse, verify or bind: fix the spec or its settings
  invalidArgument,   ///< a tensor, size or option is wrong: fix the call
  unsupportedTarget, ///< no code generator for this target or size: choose another target
  compileFailed,     ///< a code generator failed on a legal program: a defect, please report
  cacheUnusable,     ///< the cache cannot be read or written; results are unaffected
  deviceUnavailable, ///< no such device or driver on this machine
  launchFailed,      ///< the device refused or aborted the work
  internal,          ///< a broken promise inside Tercet: a defect, please report
};

/// The name of a code as written in messages and JSON, such as "invalidArgument".
std::string_view codeName(Code code);

/// A code, one sentence, and evidence as key-value notes. Cheap to move; ok() carries nothing.
class [[nodiscard]] Status {
public:
  Status() = default;

  template <typename... Args> static Status make(Code code, fmt::format_string<Args...> format, Args &&...args) {
    Status status;
    status.failure = std::make_unique<Failure>();
    status.failure->code = code;
    status.failure->message = fmt::format(format, std::forward<Args>(args)...);
    return status;
  }

  bool ok() const { return !failure; }
  explicit operator bool() const { return ok(); }
  Code code() const { return failure ? failure->code : Code::ok; }
  const std::string &message() const;
  const std::vector<std::pair<std::string, std::string>> &notes() const;

  Status &&note(std::string key, std::string value) && {
    if (failure)
      failure->notes.emplace_back(std::move(key), std::move(value));
    return std::move(*this);
  }
  Status copy() const;

private:
  struct Failure {
    Code code = Code::internal;
    std::string message;
    std::vector<std::pair<std::string, std::string>> notes;
  };
  std::unique_ptr<Failure> failure;
};

/// A value, or the Status that says why there is none.
template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : held(std::move(value)) {}
  Result(Status status) : failed(std::move(status)) {}

  bool ok() const { return held.has_value(); }
  explicit operator bool() const { return ok(); }
  T &operator*() & { return *held; }
  const T &operator*() const & { return *held; }
  T &&operator*() && { return std::move(*held); }
  T *operator->() { return &*held; }
  const T *operator->() const { return &*held; }
  const Status &status() const { return failed; }
  Status takeStatus() { return std::move(failed); }

private:
  std::optional<T> held;
  Status failed;
};

/// A promise of Tercet to itself; aborts with place and sentence when broken. Never reachable from user input.
[[noreturn]] void checkFailed(const char *condition, const char *file, int line, const char *why);

} // namespace tercet

#define TERCET_CONCAT_(a, b) a##b
#define TERCET_CONCAT(a, b) TERCET_CONCAT_(a, b)

/// TERCET_TRY(Type value, expression returning Result<Type>): declares `value`, or returns the Status.
#define TERCET_TRY(declaration, ...)                                                                                   \
  auto TERCET_CONCAT(tried_, __LINE__) = (__VA_ARGS__);                                                                \
  if (!TERCET_CONCAT(tried_, __LINE__).ok())                                                                           \
    return TERCET_CONCAT(tried_, __LINE__).takeStatus();                                                               \
  declaration = *std::move(TERCET_CONCAT(tried_, __LINE__))

/// TERCET_RETURN_IF_ERROR(expression returning Status)
#define TERCET_RETURN_IF_ERROR(...)                                                                                    \
  do {                                                                                                                 \
    if (::tercet::Status status_ = (__VA_ARGS__); !status_.ok())                                                       \
      return status_;                                                                                                  \
  } while (false)

#define TERCET_CHECK(condition, why)                                                                                   \
  do {                                                                                                                 \
    if (!(condition))                                                                                                  \
      ::tercet::checkFailed(#condition, __FILE__, __LINE__, why);                                                      \
  } while (false)
