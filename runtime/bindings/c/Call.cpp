// DLTensors become views; what they say is checked against the plan later, by the launch itself.
#include "Call.h"

#include "Options.h"

#include <cstdlib>

namespace tercet::c {
namespace {

/// Where memory must lie that a kernel on `target` reads.
struct Place {
  bool isGpu = false;
  int32_t index = 0; ///< of the GPU
};

Place placeOf(const tercet_kernel &kernel) {
  Place place{kernel.kernel->module().isGpu(), 0};
  if (size_t colon = kernel.target.find(':'); place.isGpu && colon != std::string::npos)
    place.index = std::atoi(kernel.target.c_str() + colon + 1);
  return place;
}

Status checkPlace(const Place &place, const char *name, const DLDevice &device, const std::string &target) {
  bool fits = place.isGpu ? device.device_type == kDLCUDAManaged ||
                                (device.device_type == kDLCUDA && device.device_id == place.index)
                          : device.device_type == kDLCPU || device.device_type == kDLCUDAHost;
  if (fits)
    return {};
  return Status::make(Code::invalidArgument,
                      "'{}' lies on a device of type {} with number {}; this kernel runs on '{}', and takes {}", name,
                      static_cast<int>(device.device_type), device.device_id, target,
                      place.isGpu ? fmt::format("kDLCUDA (2) with number {}", place.index) : "kDLCPU (1)");
}

Result<Tensor> tensorFrom(const char *name, const DLTensor &given, CallUse use) {
  if (given.ndim < 1 || given.ndim > 4 || !given.shape)
    return Status::make(Code::invalidArgument, "'{}' has rank {}{}; legal ranks are 1 to 4", name, given.ndim,
                        given.shape ? "" : " and no shape");
  std::optional<DType> dtype = dtypeFrom(given.dtype);
  if (!dtype)
    return Status::make(Code::invalidArgument,
                        "'{}' is of {}; Tercet has float32, float16, bfloat16, float64, int32 and int8", name,
                        dtypeText(given.dtype));
  Tensor tensor;
  if (given.data)
    tensor.data = static_cast<char *>(given.data) + given.byte_offset;
  else if (use == CallUse::launch)
    return Status::make(Code::invalidArgument, "'{}' has data NULL; leave out what is absent", name);
  tensor.dtype = *dtype;
  tensor.rank = given.ndim;
  int64_t stride = 1;
  for (int axis = given.ndim; axis-- > 0;) {
    tensor.shape[axis] = given.shape[axis];
    tensor.strides[axis] = given.strides ? given.strides[axis] : stride;
    if (!given.strides && __builtin_mul_overflow(stride, given.shape[axis], &stride))
      return Status::make(Code::invalidArgument, "'{}' has more than 2^63 elements", name);
  }
  return tensor;
}

Status addParameters(const tercet_kernel &kernel, const tercet_call &call, Arguments &arguments) {
  if (call.parameter_count > 0 && !call.parameters)
    return Status::make(Code::invalidArgument, "tercet_call has {} parameters at NULL", call.parameter_count);
  arguments.parameters.reserve(call.parameter_count + kernel.values.size());
  for (size_t index = 0; index < call.parameter_count; ++index) {
    if (!call.parameters[index].name)
      return Status::make(Code::invalidArgument, "tercet_call.parameters[{}] has no name", index);
    arguments.parameters.emplace_back(call.parameters[index].name, call.parameters[index].value);
  }
  for (const auto &value : kernel.values) {
    bool isGiven = false;
    for (size_t index = 0; index < call.parameter_count; ++index)
      isGiven |= arguments.parameters[index].first == value.first;
    if (!isGiven)
      arguments.parameters.push_back(value);
  }
  return {};
}

} // namespace

Result<Arguments> argumentsFrom(const tercet_kernel &kernel, const tercet_call &call, CallUse use) {
  if (call.tensor_count > 0 && !call.tensors)
    return Status::make(Code::invalidArgument, "tercet_call has {} tensors at NULL", call.tensor_count);
  Arguments arguments;
  arguments.tensors.reserve(call.tensor_count + 4);
  Place place = placeOf(kernel);
  for (size_t index = 0; index < call.tensor_count; ++index) {
    const tercet_named_tensor &given = call.tensors[index];
    if (!given.name)
      return Status::make(Code::invalidArgument, "tercet_call.tensors[{}] has no name", index);
    if (!given.tensor)
      continue;
    TERCET_TRY(Tensor tensor, tensorFrom(given.name, *given.tensor, use));
    if (use == CallUse::launch)
      TERCET_RETURN_IF_ERROR(checkPlace(place, given.name, given.tensor->device, kernel.target));
    arguments.tensors.emplace_back(given.name, tensor);
  }
  TERCET_RETURN_IF_ERROR(addParameters(kernel, call, arguments));
  return arguments;
}

} // namespace tercet::c
