// What calls of tercet.hpp take and give: Status and Result<T> in place of codes, tensors with their shape inside.
#ifndef TERCET_VALUES_HPP
#define TERCET_VALUES_HPP

#include "tercet/tercet.h"

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tercet {
inline namespace host {

/// What went wrong, by what the caller should do about it; as tercet_status.
enum class Code {
  ok,
  invalidSpec,
  invalidArgument,
  unsupportedTarget,
  compileFailed,
  cacheUnusable,
  deviceUnavailable,
  launchFailed,
  internal
};

/// A code, one sentence, and evidence as pairs of key and value.
class [[nodiscard]] Status {
public:
  Status() = default;
  /// What a function of tercet.h returned, with what it left behind for this thread.
  static Status of(tercet_status status) {
    Status result;
    if (status == TERCET_OK)
      return result;
    result.why = static_cast<Code>(status);
    result.text = tercet_error_message();
    const char *key = nullptr, *value = nullptr;
    for (size_t index = 0; tercet_error_note(index, &key, &value) == TERCET_OK; ++index)
      result.evidence.emplace_back(key, value);
    return result;
  }
  bool ok() const { return why == Code::ok; }
  explicit operator bool() const { return ok(); }
  Code code() const { return why; }
  /// "invalidArgument"
  const char *name() const { return tercet_status_name(static_cast<tercet_status>(why)); }
  const std::string &message() const { return text; }
  const std::vector<std::pair<std::string, std::string>> &notes() const { return evidence; }

private:
  Code why = Code::ok;
  std::string text;
  std::vector<std::pair<std::string, std::string>> evidence;
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
  T &&operator*() && { return *std::move(held); }
  T *operator->() { return &*held; }
  const T *operator->() const { return &*held; }
  const Status &status() const { return failed; }

private:
  std::optional<T> held;
  Status failed;
};

enum class DType { f32, f16, bf16, f64, i32, i8 };

inline DLDataType dlpackType(DType dtype) {
  constexpr DLDataType types[] = {{kDLFloat, 32, 1}, {kDLFloat, 16, 1}, {kDLBfloat, 16, 1},
                                  {kDLFloat, 64, 1}, {kDLInt, 32, 1},   {kDLInt, 8, 1}};
  return types[static_cast<size_t>(dtype)];
}

/// A borrowed, strided view of one to four dimensions.
class Tensor {
public:
  Tensor() = default;
  /// Of another's tensor, whose memory is borrowed, too. More than four dimensions are refused where it is used.
  explicit Tensor(const DLTensor &tensor) : view(tensor) {
    for (int axis = 0; axis < tensor.ndim && axis < 4; ++axis) {
      extents[axis] = tensor.shape[axis];
      steps[axis] = tensor.strides ? tensor.strides[axis] : 0;
    }
    isContiguous = !tensor.strides;
  }
  /// Row-major, without gaps.
  static Tensor contiguous(void *data, DType dtype, const std::vector<int64_t> &shape, DLDevice device = {kDLCPU, 0}) {
    return strided(data, dtype, shape, {}, device);
  }
  /// strides in elements; none: row-major.
  static Tensor strided(void *data, DType dtype, const std::vector<int64_t> &shape, const std::vector<int64_t> &strides,
                        DLDevice device = {kDLCPU, 0}) {
    Tensor tensor;
    tensor.view = {data, device, static_cast<int32_t>(shape.size()), dlpackType(dtype), nullptr, nullptr, 0};
    for (size_t axis = 0; axis < shape.size() && axis < 4; ++axis) {
      tensor.extents[axis] = shape[axis];
      tensor.steps[axis] = axis < strides.size() ? strides[axis] : 0;
    }
    tensor.isContiguous = strides.empty();
    return tensor;
  }
  int rank() const { return view.ndim; }
  const std::array<int64_t, 4> &shape() const { return extents; }
  void *data() const { return view.data; }
  /// Points into this object, and holds as long as it stays where it is.
  DLTensor dlpack() const {
    DLTensor tensor = view;
    tensor.shape = const_cast<int64_t *>(extents.data());
    tensor.strides = isContiguous ? nullptr : const_cast<int64_t *>(steps.data());
    return tensor;
  }

private:
  DLTensor view = {};
  std::array<int64_t, 4> extents{}, steps{};
  bool isContiguous = true;
};

} // namespace host
} // namespace tercet

#endif
