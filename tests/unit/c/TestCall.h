// TestCall: a call of the C interface with its memory, and what a failure said.
#pragma once

#include "tercet/tercet.h"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace tercet::test {

/// Requires success, and says what went wrong.
inline void succeed(tercet_status status) {
  INFO(tercet_status_name(status) << ": " << tercet_error_message());
  REQUIRE(status == TERCET_OK);
}

/// Requires this failure, with a message that has all of these parts.
inline void fail(tercet_status status, tercet_status expected, std::vector<std::string> parts) {
  CHECK(std::string(tercet_status_name(status)) == tercet_status_name(expected));
  std::string message = status == TERCET_OK ? "" : tercet_error_message();
  for (const std::string &part : parts)
    CHECK_THAT(message, Catch::Contains(part));
}

template <typename Handle, void (*destroy)(Handle *)> struct Destroy {
  void operator()(Handle *handle) const { destroy(handle); }
};
using SessionHandle = std::unique_ptr<tercet_session, Destroy<tercet_session, tercet_session_destroy>>;
using KernelHandle = std::unique_ptr<tercet_kernel, Destroy<tercet_kernel, tercet_kernel_destroy>>;
using ArtifactHandle = std::unique_ptr<tercet_artifact, Destroy<tercet_artifact, tercet_artifact_destroy>>;

inline SessionHandle newSession(int threads = 1) {
  tercet_session_options options = TERCET_SESSION_OPTIONS_INIT;
  options.threads = threads;
  options.no_cache = 1;
  tercet_session *session = nullptr;
  succeed(tercet_session_create(&options, &session));
  return SessionHandle(session);
}

/// Text that the interface gave, freed.
inline std::string taken(char *text) {
  std::string copy = text ? text : "";
  tercet_text_free(text);
  return copy;
}

/// Tensors of f32 by name, row-major, filled with small numbers.
class TestCall {
public:
  struct Owned {
    std::vector<float> data;
    std::vector<int64_t> shape, strides;
    DLTensor tensor;
  };

  Owned &add(const std::string &name, std::vector<int64_t> shape) {
    names.push_back(name);
    Owned &owned = tensors.emplace_back();
    size_t count = 1;
    for (int64_t extent : shape)
      count *= static_cast<size_t>(extent);
    owned.data.resize(count);
    for (size_t i = 0; i < count; ++i)
      owned.data[i] = static_cast<float>((i * 2654435761U + names.size() * 977) % 1000) / 1000 - 0.5F;
    owned.shape = std::move(shape);
    owned.strides.resize(owned.shape.size());
    int64_t stride = 1;
    for (size_t axis = owned.shape.size(); axis-- > 0; stride *= owned.shape[axis])
      owned.strides[axis] = stride;
    owned.tensor = {owned.data.data(),
                    {kDLCPU, 0},
                    static_cast<int32_t>(owned.shape.size()),
                    {kDLFloat, 32, 1},
                    owned.shape.data(),
                    owned.strides.data(),
                    0};
    return owned;
  }
  /// q, k, v and o of one shape.
  void addTokens(int64_t batch, int64_t heads, int64_t queries, int64_t keys, int64_t dim) {
    add("q", {batch, heads, queries, dim});
    for (const char *name : {"k", "v"})
      add(name, {batch, heads, keys, dim});
    add("o", {batch, heads, queries, dim});
  }
  Owned &operator[](const std::string &name) {
    for (size_t index = 0; index < names.size(); ++index)
      if (names[index] == name)
        return tensors[index];
    FAIL("no tensor " << name);
    return tensors.front();
  }
  void remove(const std::string &name) { (*this)[name].shape.clear(); }
  void parameter(const char *name, double value) { values.push_back({name, value}); }

  /// The call, without a workspace. Valid until this object changes.
  tercet_call &view() {
    named.clear();
    for (size_t index = 0; index < names.size(); ++index)
      if (!tensors[index].shape.empty())
        named.push_back({names[index].c_str(), &tensors[index].tensor});
    call.tensors = named.data();
    call.tensor_count = named.size();
    call.parameters = values.data();
    call.parameter_count = values.size();
    return call;
  }
  /// With as much workspace as the kernel asks for.
  tercet_call &withWorkspace(const tercet_kernel *kernel) {
    tercet_call &result = view();
    succeed(tercet_kernel_workspace(kernel, &result, &result.workspace_bytes));
    workspace.reset(std::aligned_alloc(64, result.workspace_bytes / 64 * 64 + 64));
    result.workspace = workspace.get();
    return result;
  }

private:
  struct Free {
    void operator()(void *memory) const { std::free(memory); }
  };
  std::deque<std::string> names;
  std::deque<Owned> tensors;
  std::vector<tercet_named_tensor> named;
  std::vector<tercet_named_value> values;
  std::unique_ptr<void, Free> workspace;
  tercet_call call = TERCET_CALL_INIT;
};

} // namespace tercet::test
