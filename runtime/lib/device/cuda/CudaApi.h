// CudaApi: the functions of libcuda.so.1 that Tercet calls, found by name at run time. The declarations below are the
// driver's stable C interface written out (CUDA Driver API reference), so that no CUDA header is needed.
#pragma once

#include "tercet/Status.h"

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace tercet::rt::cuda {

using CuResult = int; // CUDA_SUCCESS is 0
using CuDevice = int;
using CuAddress = unsigned long long;
using CuContext = struct CuContextTag *;
using CuStream = struct CuStreamTag *;
using CuEvent = struct CuEventTag *;
using CuLibrary = struct CuLibraryTag *;
using CuKernel = struct CuKernelTag *;
using CuGraph = struct CuGraphTag *;
using CuGraphExec = struct CuGraphExecTag *;

/// CUlaunchAttribute and CUlaunchConfig.
struct LaunchAttribute {
  int id;
  char pad[8 - sizeof(int)];
  union {
    struct {
      unsigned x, y, z;
    } cluster;
    char room[64];
  } value;
};
struct LaunchConfig {
  unsigned gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes;
  CuStream stream;
  LaunchAttribute *attributes;
  unsigned attributeCount;
};

/// Numbers of the driver's enumerations, by their names there.
enum DeviceAttribute {
  clockRate = 13,
  multiprocessorCount = 16,
  l2CacheSize = 38,
  computeCapabilityMajor = 75,
  computeCapabilityMinor = 76,
  maxSharedMemoryPerMultiprocessor = 81,
  maxSharedMemoryPerBlockOptin = 97,
};
enum FunctionAttribute {
  maxThreadsPerBlock = 0,
  sharedSizeBytes = 1,
  localSizeBytes = 3,
  numRegs = 4,
  maxDynamicSharedSizeBytes = 8,
};
enum { launchAttributeClusterDimension = 4 };
enum { streamNonBlocking = 1, captureModeThreadLocal = 1 };
enum { jitErrorLogBuffer = 5, jitErrorLogBufferSizeBytes = 6 };
enum TensorMapType {
  typeUint8 = 0,
  typeInt32 = 3,
  typeFloat16 = 6,
  typeFloat32 = 7,
  typeFloat64 = 8,
  typeBfloat16 = 9
};
enum { l2Promotion128B = 2 };

// Every function: its member name, the exported symbol, its type.
#define TERCET_CUDA_FUNCTIONS(X)                                                                                       \
  X(init, "cuInit", CuResult(unsigned))                                                                                \
  X(driverVersion, "cuDriverGetVersion", CuResult(int *))                                                              \
  X(errorName, "cuGetErrorName", CuResult(CuResult, const char **))                                                    \
  X(errorString, "cuGetErrorString", CuResult(CuResult, const char **))                                                \
  X(deviceCount, "cuDeviceGetCount", CuResult(int *))                                                                  \
  X(device, "cuDeviceGet", CuResult(CuDevice *, int))                                                                  \
  X(deviceName, "cuDeviceGetName", CuResult(char *, int, CuDevice))                                                    \
  X(deviceAttribute, "cuDeviceGetAttribute", CuResult(int *, int, CuDevice))                                           \
  X(deviceMemory, "cuDeviceTotalMem_v2", CuResult(size_t *, CuDevice))                                                 \
  X(retainContext, "cuDevicePrimaryCtxRetain", CuResult(CuContext *, CuDevice))                                        \
  X(releaseContext, "cuDevicePrimaryCtxRelease_v2", CuResult(CuDevice))                                                \
  X(pushContext, "cuCtxPushCurrent_v2", CuResult(CuContext))                                                           \
  X(popContext, "cuCtxPopCurrent_v2", CuResult(CuContext *))                                                           \
  X(allocate, "cuMemAlloc_v2", CuResult(CuAddress *, size_t))                                                          \
  X(release, "cuMemFree_v2", CuResult(CuAddress))                                                                      \
  X(copyToDevice, "cuMemcpyHtoDAsync_v2", CuResult(CuAddress, const void *, size_t, CuStream))                         \
  X(copyToHost, "cuMemcpyDtoHAsync_v2", CuResult(void *, CuAddress, size_t, CuStream))                                 \
  X(fill, "cuMemsetD8Async", CuResult(CuAddress, unsigned char, size_t, CuStream))                                     \
  X(createStream, "cuStreamCreate", CuResult(CuStream *, unsigned))                                                    \
  X(destroyStream, "cuStreamDestroy_v2", CuResult(CuStream))                                                           \
  X(synchronize, "cuStreamSynchronize", CuResult(CuStream))                                                            \
  X(beginCapture, "cuStreamBeginCapture_v2", CuResult(CuStream, int))                                                  \
  X(endCapture, "cuStreamEndCapture", CuResult(CuStream, CuGraph *))                                                   \
  X(instantiate, "cuGraphInstantiateWithFlags", CuResult(CuGraphExec *, CuGraph, unsigned long long))                  \
  X(launchGraph, "cuGraphLaunch", CuResult(CuGraphExec, CuStream))                                                     \
  X(destroyGraph, "cuGraphDestroy", CuResult(CuGraph))                                                                 \
  X(destroyGraphExec, "cuGraphExecDestroy", CuResult(CuGraphExec))                                                     \
  X(createEvent, "cuEventCreate", CuResult(CuEvent *, unsigned))                                                       \
  X(destroyEvent, "cuEventDestroy_v2", CuResult(CuEvent))                                                              \
  X(record, "cuEventRecord", CuResult(CuEvent, CuStream))                                                              \
  X(elapsed, "cuEventElapsedTime", CuResult(float *, CuEvent, CuEvent))                                                \
  X(loadLibrary, "cuLibraryLoadData",                                                                                  \
    CuResult(CuLibrary *, const void *, int *, void **, unsigned, int *, void **, unsigned))                           \
  X(unloadLibrary, "cuLibraryUnload", CuResult(CuLibrary))                                                             \
  X(kernel, "cuLibraryGetKernel", CuResult(CuKernel *, CuLibrary, const char *))                                       \
  X(kernelAttribute, "cuKernelGetAttribute", CuResult(int *, int, CuKernel, CuDevice))                                 \
  X(setKernelAttribute, "cuKernelSetAttribute", CuResult(int, int, CuKernel, CuDevice))                                \
  X(launch, "cuLaunchKernelEx", CuResult(const LaunchConfig *, CuKernel, void **, void **))                            \
  X(encodeTensorMap, "cuTensorMapEncodeTiled",                                                                         \
    CuResult(void *, int, uint32_t, void *, const uint64_t *, const uint64_t *, const uint32_t *, const uint32_t *,    \
             int, int, int, int))

/// The loaded functions. Never unloaded: the driver does not survive it.
struct CudaApi {
#define TERCET_CUDA_MEMBER(member, symbol, ...) std::type_identity_t<__VA_ARGS__> *member = nullptr;
  TERCET_CUDA_FUNCTIONS(TERCET_CUDA_MEMBER)
#undef TERCET_CUDA_MEMBER

  /// "CUDA_ERROR_ILLEGAL_ADDRESS (an illegal memory access was encountered)"
  std::string describe(CuResult result) const;
  /// Ok, or a status of this code: "cuLaunchKernelEx failed: ..".
  Status check(CuResult result, const char *function, Code code = Code::launchFailed) const;

  /// The driver of this process, initialised. deviceUnavailable with one sentence when there is none.
  static Result<const CudaApi *> get();
};

} // namespace tercet::rt::cuda
