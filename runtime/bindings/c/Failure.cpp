#include "Failure.h"

#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>

namespace tercet::c {
namespace {

struct LastFailure {
  const char *fixed = nullptr; ///< instead of a status
  Status status;
};
thread_local LastFailure last;

tercet_status codeFor(Code code) {
  switch (code) {
  case Code::ok:
    return TERCET_OK;
  case Code::invalidSpec:
    return TERCET_INVALID_SPEC;
  case Code::invalidArgument:
    return TERCET_INVALID_ARGUMENT;
  case Code::unsupportedTarget:
    return TERCET_UNSUPPORTED_TARGET;
  case Code::compileFailed:
    return TERCET_COMPILE_FAILED;
  case Code::cacheUnusable:
    return TERCET_CACHE_UNUSABLE;
  case Code::deviceUnavailable:
    return TERCET_DEVICE_UNAVAILABLE;
  case Code::launchFailed:
    return TERCET_LAUNCH_FAILED;
  case Code::internal:
    return TERCET_INTERNAL;
  }
  return TERCET_INTERNAL;
}

} // namespace

tercet_status reported(Status status) noexcept {
  if (status.ok())
    return TERCET_OK;
  tercet_status code = codeFor(status.code());
  last.status = std::move(status);
  last.fixed = nullptr;
  return code;
}

tercet_status reportedNoMemory() noexcept {
  last.fixed = "the host is out of memory";
  return TERCET_INTERNAL;
}

tercet_status reportedException() noexcept {
  try {
    try {
      throw;
    } catch (const std::bad_alloc &) {
      return reportedNoMemory();
    } catch (const std::exception &error) {
      return reported(Status::make(Code::internal, "an exception reached the C interface: {}", error.what()));
    } catch (...) {
      return reported(Status::make(Code::internal, "an exception reached the C interface"));
    }
  } catch (...) { // there was no memory for the sentence
    return reportedNoMemory();
  }
}

char *textFor(const std::string &text) {
  auto *copy = static_cast<char *>(std::malloc(text.size() + 1));
  if (!copy)
    throw std::bad_alloc();
  std::memcpy(copy, text.c_str(), text.size() + 1);
  return copy;
}

} // namespace tercet::c

using namespace tercet;

const char *tercet_version(void) { return TERCET_VERSION_STRING; }

const char *tercet_status_name(tercet_status status) {
  for (Code code : {Code::ok, Code::invalidSpec, Code::invalidArgument, Code::unsupportedTarget, Code::compileFailed,
                    Code::cacheUnusable, Code::deviceUnavailable, Code::launchFailed, Code::internal})
    if (c::codeFor(code) == status)
      return codeName(code).data(); // a literal, which ends in 0
  return "unknown";
}

const char *tercet_error_message(void) { return c::last.fixed ? c::last.fixed : c::last.status.message().c_str(); }

size_t tercet_error_note_count(void) { return c::last.fixed ? 0 : c::last.status.notes().size(); }

tercet_status tercet_error_note(size_t index, const char **key, const char **value) {
  if (!key || !value || index >= tercet_error_note_count())
    return TERCET_INVALID_ARGUMENT; // and the failure that is asked about stays
  const auto &note = c::last.status.notes()[index];
  *key = note.first.c_str();
  *value = note.second.c_str();
  return TERCET_OK;
}

void tercet_text_free(char *text) { std::free(text); }
