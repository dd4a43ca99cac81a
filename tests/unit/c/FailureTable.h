// FailureTable: what every function of the C interface refuses, as rows: the function, what is wrong, the status, words of the message.
#pragma once

#include "CompiledKernel.h"

#include <functional>

namespace tercet::test {

struct FailureRow {
  const char *function, *fault;
  tercet_status status;
  std::vector<std::string> words;
  std::function<tercet_status()> call;
};

template <typename Struct> Struct sized(Struct value, size_t size) {
  value.struct_size = size;
  return value;
}

/// Larger than this library's, with something set that it does not know.
template <typename Struct> struct Newer {
  Struct known;
  uint64_t unknown = 1;
  explicit Newer(Struct value) : known(value) { known.struct_size = sizeof *this; }
};

/// Where results go: a refused call sets handles and texts to NULL and leaves all else alone.
struct Results {
  tercet_session *session = reinterpret_cast<tercet_session *>(1);
  tercet_artifact *artifact = reinterpret_cast<tercet_artifact *>(1);
  tercet_kernel *kernel = reinterpret_cast<tercet_kernel *>(1);
  char *text = reinterpret_cast<char *>(1);
  const char *name = reinterpret_cast<const char *>(1);
  int64_t shape[4] = {-7, -7, -7, -7};
  int32_t rank = -7;
  size_t bytes = 7;
};

/// What the rows call with: legal handles and structs, and such that have one thing wrong.
struct Given {
  Results r;
  SessionHandle ownSession = newSession();
  KernelHandle ownBackward = compiled(ownSession.get(), builtin("dense"), forDimension(32, TERCET_BACKWARD));
  ArtifactHandle ownArtifact;
  tercet_session *session = ownSession.get();
  const tercet_kernel *kernel = denseKernel(), *backward = ownBackward.get();
  const tercet_artifact *artifact = nullptr;

  tercet_spec dense = builtin("dense"), unknown = builtin("denes"), empty = TERCET_SPEC_INIT, both = dense,
              unread = empty, unset = dense, nameless = dense, twice = dense, smallSpec = sized(dense, 8);
  tercet_setting noName = {nullptr, "1"}, settings[2] = {{"scale", "1"}, {"scale", "2"}};
  Newer<tercet_spec> newerSpec{dense};

  tercet_compile_options options = forDimension(32), noDimension = options, ofIntegers = options, nowhere = options,
                         aside = options, large = options, negative = options, overfull = options,
                         smallOptions = sized(options, 8);
  Newer<tercet_compile_options> newerOptions{options};
  tercet_session_options threads = TERCET_SESSION_OPTIONS_INIT, smallSession = sized(threads, 4);
  Newer<tercet_session_options> newerSession{threads};

  TestCall tokens, missing, wide;
  tercet_call call, partial, other, noTensors, noParameters, small, crooked, smallCall;
  Newer<tercet_call> newerCall{tercet_call TERCET_CALL_INIT};
  tercet_argument argument = TERCET_ARGUMENT_INIT, smallArgument = sized(argument, 8);
  tercet_parameter parameter = TERCET_PARAMETER_INIT, smallParameter = sized(parameter, 8);

  Given() {
    tercet_artifact *made = nullptr;
    succeed(tercet_kernel_artifact(kernel, &made));
    ownArtifact.reset(made);
    artifact = made;
    both.text = "x";
    unread.text = "tercet.spec @x(";
    unset.setting_count = 1;
    nameless.settings = &noName, nameless.setting_count = 1;
    twice.settings = settings, twice.setting_count = 2;
    noDimension.head_dim = 0;
    ofIntegers.dtype = {kDLInt, 32, 1};
    nowhere.target = "tpu";
    aside.direction = static_cast<tercet_direction>(3);
    large.head_dim = 1 << 20;
    negative.expected_keys = -4;
    overfull.expected_kept = 1.5;
    threads.threads = 4097;
    tokens.addTokens(1, 2, 70, 50, 32);
    missing.add("q", {1, 2, 70, 32});
    wide.addTokens(1, 2, 70, 50, 33);
    call = noTensors = noParameters = small = crooked = tokens.withWorkspace(kernel);
    partial = missing.view();
    other = wide.view();
    noTensors.tensors = nullptr;
    noParameters.parameter_count = 2, noParameters.parameters = nullptr;
    small.workspace_bytes -= 1;
    crooked.workspace = static_cast<char *>(call.workspace) + 8;
    smallCall = sized(call, 8);
    newerCall = Newer(call);
  }
  Given(const Given &) = delete;
  Given &operator=(const Given &) = delete;
};

/// The rows of what makes handles: errors, specs, sessions, compiling, artifacts.
std::vector<FailureRow> rowsOfHandles(Given &g);
/// The rows of kernels and calls.
std::vector<FailureRow> rowsOfKernels(Given &g);

} // namespace tercet::test
