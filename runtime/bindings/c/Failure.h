// Failure: how functions of the C interface report. A call's Status becomes a code; its sentence and notes are kept for the
// thread. No exception leaves `guarded`.
#pragma once

#include "tercet/Status.h"
#include "tercet/tercet.h"

namespace tercet::c {

/// Keeps `status` for the calling thread if it is a failure, and gives its code.
tercet_status reported(Status status) noexcept;
/// When there is no memory to say more.
tercet_status reportedNoMemory() noexcept;

/// Of the exception that is being handled.
tercet_status reportedException() noexcept;

/// Runs `call`, which returns a Status.
template <typename Call> tercet_status guarded(Call call) noexcept {
  try {
    return reported(call());
  } catch (...) {
    return reportedException();
  }
}

/// invalidArgument if a pointer that a function needs is null.
inline Status checkGiven(const char *function, const char *what, const void *pointer) {
  if (pointer)
    return {};
  return Status::make(Code::invalidArgument, "{}: {} is NULL", function, what);
}

/// A copy for the caller, who frees it with tercet_text_free.
char *textFor(const std::string &text);

} // namespace tercet::c
