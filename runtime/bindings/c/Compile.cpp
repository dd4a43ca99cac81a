// Specs and their compilation.
#include "Frontend.h"
#include "Handles.h"
#include "Options.h"

#include <cstddef>

using namespace tercet;
using namespace tercet::c;

namespace {

Result<Spec> specFrom(const Frontend &compiler, const tercet_spec *given) {
  TERCET_TRY(tercet_spec read, readOptions("tercet_spec", given, sizeof(tercet_spec)));
  if (!read.name == !read.text)
    return Status::make(Code::invalidArgument,
                        "tercet_spec has {}; it must have just one: the name of a built-in spec or a text",
                        read.name ? "a name and a text" : "neither a name nor a text");
  Spec spec;
  if (read.name) {
    TERCET_TRY(spec, compiler.builtin(read.name));
  } else {
    spec.text = read.text;
    if (read.origin)
      spec.origin = read.origin;
  }
  if (read.setting_count > 0 && !read.settings)
    return Status::make(Code::invalidArgument, "tercet_spec has {} settings at NULL", read.setting_count);
  for (size_t index = 0; index < read.setting_count; ++index) {
    const tercet_setting &setting = read.settings[index];
    if (!setting.name || !setting.value)
      return Status::make(Code::invalidArgument, "tercet_spec.settings[{}] has no {}", index,
                          setting.name ? "value" : "name");
    if (!spec.settings.emplace(setting.name, setting.value).second)
      return Status::make(Code::invalidArgument, "tercet_spec.settings give '{}' twice", setting.name);
  }
  return spec;
}

Result<std::optional<ExpectedCall>> expectedFrom(const tercet_compile_options &read) {
  for (int64_t size :
       {read.expected_batch, read.expected_heads, read.expected_key_heads, read.expected_queries, read.expected_keys})
    if (size < 0)
      return Status::make(Code::invalidArgument, "tercet_compile_options expects a size of {}; sizes are at least 0",
                          size);
  if (!(read.expected_kept >= 0 && read.expected_kept <= 1))
    return Status::make(Code::invalidArgument,
                        "tercet_compile_options has expected_kept {}; it lies from 0 (not known) to 1",
                        read.expected_kept);
  if (read.expected_queries == 0)
    return std::optional<ExpectedCall>();
  auto orElse = [](int64_t size, int64_t otherwise) { return size == 0 ? otherwise : size; };
  ExpectedCall call;
  call.batch = orElse(read.expected_batch, 1);
  call.heads = orElse(read.expected_heads, 1);
  call.headsKV = orElse(read.expected_key_heads, call.heads);
  call.queries = read.expected_queries;
  call.keys = orElse(read.expected_keys, call.queries);
  if (read.expected_kept > 0)
    call.kept = read.expected_kept;
  return std::optional(call);
}

Result<Problem> problemFrom(const tercet_compile_options *given) {
  TERCET_TRY(tercet_compile_options read,
             readOptions("tercet_compile_options", given, offsetof(tercet_compile_options, expected_batch)));
  if (read.head_dim < 1 || read.value_dim < 0)
    return Status::make(Code::invalidArgument,
                        "tercet_compile_options has head_dim {} and value_dim {}; head_dim must be at least 1, and "
                        "value_dim too, or 0 for head_dim",
                        read.head_dim, read.value_dim);
  Problem problem;
  problem.headDim = read.head_dim;
  problem.valueDim = read.value_dim == 0 ? read.head_dim : read.value_dim;
  DLDataType unset = {};
  std::optional<DType> dtype = std::memcmp(&read.dtype, &unset, sizeof unset) == 0 ? DType::f32 : dtypeFrom(read.dtype);
  if (!dtype || (*dtype != DType::f32 && *dtype != DType::f16 && *dtype != DType::bf16))
    return Status::make(Code::invalidArgument,
                        "tercet_compile_options has dtype {}; legal are float32, float16 and bfloat16",
                        dtypeText(read.dtype));
  problem.dtype = *dtype;
  if (read.target)
    problem.target = read.target;
  int direction = static_cast<int>(read.direction);
  if (direction < TERCET_INFERENCE || direction > TERCET_BACKWARD)
    return Status::make(Code::invalidArgument,
                        "tercet_compile_options has direction {}; legal are TERCET_INFERENCE (0), TERCET_FORWARD (1) "
                        "and TERCET_BACKWARD (2)",
                        direction);
  problem.direction = static_cast<Direction>(direction);
  problem.deterministic = read.deterministic != 0;
  TERCET_TRY(problem.expected, expectedFrom(read));
  return problem;
}

Result<tercet_kernel *> compileNow(Session &session, const Spec &spec, const Problem &problem) {
  TERCET_TRY(ReadSpec read, frontend()->read(spec));
  CompileReport report;
  TERCET_TRY(std::shared_ptr<Kernel> made, session.compile(read.toCompile, problem, &report));
  tercet_kernel *handle = kernelHandle(std::move(made), problem.target);
  handle->values = std::move(read.values);
  handle->report = report;
  handle->isCompiled = true;
  return handle;
}

} // namespace

tercet_status tercet_specs(char **json) {
  return guarded([&]() -> Status {
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_specs", "json", json));
    *json = nullptr;
    TERCET_TRY(const Frontend *compiler, neededFrontend("tercet_specs"));
    *json = textFor(compiler->list());
    return {};
  });
}

tercet_status tercet_spec_describe(const tercet_spec *given, char **json) {
  return guarded([&]() -> Status {
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_spec_describe", "json", json));
    *json = nullptr;
    TERCET_TRY(const Frontend *compiler, neededFrontend("tercet_spec_describe"));
    TERCET_TRY(Spec spec, specFrom(*compiler, given));
    TERCET_TRY(std::string text, compiler->describe(spec));
    *json = textFor(text);
    return {};
  });
}

tercet_status tercet_compile(tercet_session *session, const tercet_spec *given, const tercet_compile_options *options,
                             tercet_kernel **kernel) {
  return guarded([&]() -> Status {
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_compile", "kernel", kernel));
    *kernel = nullptr;
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_compile", "session", session));
    TERCET_TRY(const Frontend *compiler, neededFrontend("tercet_compile"));
    TERCET_TRY(Spec spec, specFrom(*compiler, given));
    TERCET_TRY(Problem problem, problemFrom(options));
    TERCET_TRY(*kernel, compileNow(*session->session, spec, problem));
    return {};
  });
}

tercet_status tercet_compile_async(tercet_session *session, const tercet_spec *given,
                                   const tercet_compile_options *options, tercet_compiled function, void *user) {
  return guarded([&]() -> Status {
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_compile_async", "session", session));
    if (!function)
      return Status::make(Code::invalidArgument, "tercet_compile_async: function is NULL");
    TERCET_TRY(const Frontend *compiler, neededFrontend("tercet_compile_async"));
    TERCET_TRY(Spec spec, specFrom(*compiler, given));
    TERCET_TRY(Problem problem, problemFrom(options));
    session->background.start([owner = session->session.get(), spec, problem, function, user] {
      tercet_kernel *kernel = nullptr;
      tercet_status status = guarded([&]() -> Status {
        TERCET_TRY(kernel, compileNow(*owner, spec, problem));
        return {};
      });
      function(user, status, kernel);
    });
    return {};
  });
}

tercet_status tercet_compile_artifact(const tercet_spec *given, const tercet_compile_options *options,
                                      tercet_artifact **artifact) {
  return guarded([&]() -> Status {
    TERCET_RETURN_IF_ERROR(checkGiven("tercet_compile_artifact", "artifact", artifact));
    *artifact = nullptr;
    TERCET_TRY(const Frontend *compiler, neededFrontend("tercet_compile_artifact"));
    TERCET_TRY(Spec spec, specFrom(*compiler, given));
    TERCET_TRY(Problem problem, problemFrom(options));
    std::shared_ptr<Compiler> jit = compiler->makeCompiler();
    TERCET_TRY(CompileKey key, jit->key(spec, problem)); // which checks the problem
    TERCET_TRY(Artifact made, jit->compile(spec, key.problem));
    *artifact = new tercet_artifact{std::move(made)};
    return {};
  });
}
