#include "Isolation.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tercet::run {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void answer(int pipe, const std::function<cli::Json()> &work) {
  std::string text = work().dump(-1, ' ', false, cli::Json::error_handler_t::replace);
  for (size_t done = 0; done < text.size();) {
    ssize_t count = ::write(pipe, text.data() + done, text.size() - done);
    if (count < 0 && errno != EINTR)
      break;
    done += count > 0 ? static_cast<size_t>(count) : 0;
  }
  ::_exit(0); // without destructors: a driver in trouble may hang in them
}

/// What the child writes until it ends; false when the deadline passed.
bool readUntil(int pipe, Clock::time_point deadline, std::string &text) {
  for (;;) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0)
      return false;
    pollfd entry{pipe, POLLIN, 0};
    if (::poll(&entry, 1, static_cast<int>(left)) <= 0)
      continue;
    char chunk[1 << 16];
    ssize_t count = ::read(pipe, chunk, sizeof chunk);
    if (count == 0)
      return true;
    if (count > 0)
      text.append(chunk, static_cast<size_t>(count));
    else if (errno != EINTR)
      return true;
  }
}

} // namespace

Result<cli::Json> runIsolated(const std::function<cli::Json()> &work, double seconds) {
  int ends[2];
  if (::pipe(ends) != 0)
    return Status::make(Code::internal, "cannot make a pipe: {}", std::strerror(errno));
  pid_t child = ::fork();
  if (child < 0)
    return Status::make(Code::internal, "cannot start a process: {}", std::strerror(errno));
  if (child == 0) {
    ::close(ends[0]);
    answer(ends[1], work);
  }
  ::close(ends[1]);
  std::string text;
  bool inTime =
      readUntil(ends[0], Clock::now() + std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000)), text);
  ::close(ends[0]);
  if (!inTime)
    ::kill(child, SIGKILL);
  int state = 0;
  ::waitpid(child, &state, 0);
  if (!inTime)
    return Status::make(Code::launchFailed, "no answer within {} s", seconds);
  if (WIFSIGNALED(state))
    return Status::make(Code::launchFailed, "the process died of signal {}", WTERMSIG(state));
  cli::Json object = cli::Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (object.is_discarded())
    return Status::make(Code::launchFailed, "the process ended without a result");
  return object;
}

} // namespace tercet::run
