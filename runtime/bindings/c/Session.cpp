// Sessions, and what is of the whole library.
#include "Frontend.h"
#include "Handles.h"
#include "Options.h"

#include "tercet/Log.h"

#include <nlohmann/json.hpp>

using namespace tercet;
using namespace tercet::c;

namespace tercet::c {

Result<const Frontend *> neededFrontend(const char *function) {
  if (const Frontend *have = frontend())
    return have;
  return Status::make(Code::unsupportedTarget,
                      "{}: libtercet_runtime has no compiler; load an artifact, or use libtercet instead", function);
}

} // namespace tercet::c

namespace {

/// The embedder's loop as the runtime calls it. An item is a closure there, and a function with a context here.
ParallelFor parallelFor(tercet_parallel_for function, void *user) {
  if (!function)
    return {};
  return [function, user](int64_t count, const WorkItem &body) {
    function(
        user, count,
        [](void *context, int64_t item, int32_t worker) { (*static_cast<const WorkItem *>(context))(item, worker); },
        const_cast<WorkItem *>(&body));
  };
}

} // namespace

int tercet_has_compiler(void) { return frontend() ? 1 : 0; }

tercet_status tercet_set_log(tercet_log_function function, void *user, int32_t level) {
  return guarded([&]() -> Status {
    if (!function) {
      setLogSink({});
      return {};
    }
    if (level < 1 || level > 3)
      return Status::make(Code::invalidArgument,
                          "tercet_set_log: level is {}; legal are 1 (warnings), 2 (information) and 3 (debugging)",
                          level);
    setLogSink([function, user](LogLevel at,
                                std::string_view text) { function(user, int32_t(at), std::string(text).c_str()); },
               LogLevel(level));
    return {};
  });
}

tercet_status tercet_session_create(const tercet_session_options *given, tercet_session **session) {
  return guarded([&]() -> Status {
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_session_create", "session", session));
    *session = nullptr;
    tercet_session_options none = TERCET_SESSION_OPTIONS_INIT;
    TERCET_TRY(tercet_session_options read,
               readOptions("tercet_session_options", given ? given : &none, sizeof(tercet_session_options)));
    SessionOptions options;
    options.threads = read.threads;
    options.useCache = read.no_cache == 0;
    options.cacheDirectory = read.cache_directory ? read.cache_directory : "";
    options.parallelFor = parallelFor(read.parallel_for, read.parallel_for_user);
    TERCET_TRY(std::unique_ptr<Session> made,
               Session::create(std::move(options), frontend() ? frontend()->makeCompiler() : nullptr));
    *session = new tercet_session{std::move(made)};
    return {};
  });
}

void tercet_session_destroy(tercet_session *session) { delete session; }

tercet_status tercet_session_describe(const tercet_session *session, char **json) {
  return guarded([&]() -> Status {
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_session_describe", "json", json));
    *json = nullptr;
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_session_describe", "session", session));
    nlohmann::ordered_json object = {{"threads", session->session->threads()},
                                     {"compiles", session->session->compileCount()}};
    *json = textFor(object.dump());
    return {};
  });
}
