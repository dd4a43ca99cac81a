// Status: codes by name, and the place where a broken promise ends the process.
#include "tercet/Status.h"

#include <cstdio>
#include <cstdlib>

namespace tercet {

std::string_view codeName(Code code) {
  switch (code) {
  case Code::ok:
    return "ok";
  case Code::invalidSpec:
    return "invalidSpec";
  case Code::invalidArgument:
    return "invalidArgument";
  case Code::unsupportedTarget:
    return "unsupportedTarget";
  case Code::compileFailed:
    return "compileFailed";
  case Code::cacheUnusable:
    return "cacheUnusable";
  case Code::deviceUnavailable:
    return "deviceUnavailable";
  case Code::launchFailed:
    return "launchFailed";
  case Code::internal:
    return "internal";
  }
  return "unknown";
}

const std::string &Status::message() const {
  static const std::string none;
  return failure ? failure->message : none;
}

const std::vector<std::pair<std::string, std::string>> &Status::notes() const {
  static const std::vector<std::pair<std::string, std::string>> none;
  return failure ? failure->notes : none;
}

Status Status::copy() const {
  Status result;
  if (failure)
    result.failure = std::make_unique<Failure>(*failure);
  return result;
}

void checkFailed(const char *condition, const char *file, int line, const char *why) {
  std::fprintf(stderr, "tercet: %s:%d: broken promise: %s (%s)\n", file, line, why, condition);
  std::abort();
}

} // namespace tercet
