// A libcuda.so.1 for tests: device memory is host memory, streams are queues that run at once or record, and a kernel is a
// C++ function found by name. It refuses what a real driver refuses as far as Tercet's calls can provoke it, and logs
// calls. FAKE_CUDA_INIT is the answer of cuInit.
#include "FakeCuda.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <vector>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

constexpr int ok = 0, invalidValue = 1, outOfMemory = 2, noDevice = 100, invalidDevice = 101, notFound = 500,
              illegalAddress = 700;
constexpr size_t memoryBytes = size_t{1} << 30;

struct Graph {
  std::vector<std::function<int()>> work;
};
struct Stream {
  Graph *capture = nullptr;
};
struct Library {
  std::string image;
};
struct Kernel {
  std::string name;
  int dynamicShared = 0;
};
struct Event {
  double ms = 0;
};

FakeCudaLog theLog;
Stream defaultStream;
std::map<char *, size_t> allocations;
std::vector<void *> contexts;
double clockMs = 0;

bool isDevice(unsigned long long address, size_t bytes) {
  char *first = reinterpret_cast<char *>(address);
  auto next = allocations.upper_bound(first);
  if (next == allocations.begin())
    return false;
  --next;
  return first + bytes <= next->first + next->second;
}

int queue(void *stream, std::function<int()> work) {
  auto *real = stream ? static_cast<Stream *>(stream) : &defaultStream;
  clockMs += 0.5;
  if (real->capture) {
    real->capture->work.push_back(std::move(work));
    return ok;
  }
  return work();
}

struct Config {
  unsigned grid[3], block[3], shared;
  void *stream;
  struct Attribute {
    int id;
    char pad[4];
    unsigned value[16];
  } * attributes;
  unsigned attributeCount;
};

/// scale_rows(q, o, lse, rows, keep, G0, G, S0, S, depth, q.2, lse.present, map): o += S * keep * q on the pairs of the group,
/// rows of 5 tokens x 4; lse counts the bytes of `rows` that the memset left; the map's first bytes must be its base.
int scaleRows(void **parameters, int blocks) {
  auto integer = [&](int index) { return *static_cast<int64_t *>(parameters[index]); };
  auto *q = reinterpret_cast<float *>(integer(0)), *o = reinterpret_cast<float *>(integer(1)),
       *lse = reinterpret_cast<float *>(integer(2));
  auto *rows = reinterpret_cast<char *>(integer(3));
  auto keep = *static_cast<double *>(parameters[4]);
  uint64_t base = 0;
  std::memcpy(&base, parameters[12], sizeof base);
  if (base != uint64_t(integer(0) + integer(5) * 4 * 4))
    return illegalAddress;
  for (int64_t item = 0; item < blocks; ++item) {
    int64_t head = integer(5) * 2 + item;
    for (int64_t n = 0; n < 5; ++n) {
      for (int64_t c = 0; c < 4; ++c)
        o[(head * 5 + n) * 4 + c] += float(integer(8)) * float(keep) * q[(head * 5 + n) * 4 + c];
      if (integer(11))
        lse[head * 5 + n] += float(integer(8)) * float(rows[0]);
    }
  }
  return ok;
}

} // namespace

EXPORT FakeCudaLog *fakeCudaLog() { return &theLog; }
// For tests in Python.
EXPORT int fakeCudaLaunches() { return int(theLog.launches.size()); }
EXPORT void *fakeCudaStream(int launch) { return theLog.launches[size_t(launch)].stream; }
EXPORT int fakeCudaAllocations() { return theLog.allocations; }
EXPORT int fakeCudaSynchronizations() { return theLog.synchronizations; }

EXPORT int cuInit(unsigned) {
  const char *answer = std::getenv("FAKE_CUDA_INIT");
  return answer ? std::atoi(answer) : ok;
}
// NVRTC asks a driver that is there for functions of its own, and takes it to have them unless it says no.
EXPORT int cuGetExportTable(const void **, const void *) { return notFound; }
EXPORT int cuDriverGetVersion(int *version) {
  *version = 12080;
  return ok;
}
EXPORT int cuGetErrorName(int error, const char **name) {
  static const std::map<int, const char *> names = {{invalidValue, "CUDA_ERROR_INVALID_VALUE"},
                                                    {outOfMemory, "CUDA_ERROR_OUT_OF_MEMORY"},
                                                    {noDevice, "CUDA_ERROR_NO_DEVICE"},
                                                    {notFound, "CUDA_ERROR_NOT_FOUND"},
                                                    {illegalAddress, "CUDA_ERROR_ILLEGAL_ADDRESS"}};
  auto entry = names.find(error);
  *name = entry == names.end() ? nullptr : entry->second;
  return *name ? ok : invalidValue;
}
EXPORT int cuGetErrorString(int, const char **text) {
  *text = "fake";
  return ok;
}
EXPORT int cuDeviceGetCount(int *count) {
  *count = 1;
  return ok;
}
EXPORT int cuDeviceGet(int *device, int index) {
  *device = index;
  return index == 0 ? ok : invalidDevice;
}
EXPORT int cuDeviceGetName(char *name, int size, int) {
  std::strncpy(name, "Fake H200", size_t(size));
  return ok;
}
EXPORT int cuDeviceGetAttribute(int *value, int attribute, int) {
  static const std::map<int, int> values = {{13, 1980000}, {16, 132},    {38, 50 << 20}, {75, 9},
                                            {76, 0},       {81, 233472}, {97, 232448}};
  auto entry = values.find(attribute);
  if (entry == values.end())
    return invalidValue;
  *value = entry->second;
  return ok;
}
EXPORT int cuDeviceTotalMem_v2(size_t *bytes, int) {
  *bytes = memoryBytes;
  return ok;
}
EXPORT int cuDevicePrimaryCtxRetain(void **context, int) {
  *context = &defaultStream;
  return ok;
}
EXPORT int cuDevicePrimaryCtxRelease_v2(int) { return ok; }
EXPORT int cuCtxPushCurrent_v2(void *context) {
  contexts.push_back(context);
  return ok;
}
EXPORT int cuCtxPopCurrent_v2(void **context) {
  if (contexts.empty())
    return invalidValue;
  *context = contexts.back();
  contexts.pop_back();
  return ok;
}

EXPORT int cuMemAlloc_v2(unsigned long long *address, size_t bytes) {
  if (bytes > memoryBytes)
    return outOfMemory;
  auto *memory = static_cast<char *>(std::aligned_alloc(256, (bytes + 255) / 256 * 256));
  allocations[memory] = bytes;
  *address = reinterpret_cast<unsigned long long>(memory);
  ++theLog.allocations;
  return ok;
}
EXPORT int cuMemFree_v2(unsigned long long address) {
  auto *memory = reinterpret_cast<char *>(address);
  if (allocations.erase(memory) == 0)
    return invalidValue;
  std::free(memory);
  return ok;
}
EXPORT int cuMemcpyHtoDAsync_v2(unsigned long long to, const void *from, size_t bytes, void *stream) {
  if (!isDevice(to, bytes))
    return invalidValue;
  return queue(stream, [=] {
    std::memcpy(reinterpret_cast<void *>(to), from, bytes);
    return ok;
  });
}
EXPORT int cuMemcpyDtoHAsync_v2(void *to, unsigned long long from, size_t bytes, void *stream) {
  if (!isDevice(from, bytes))
    return invalidValue;
  return queue(stream, [=] {
    std::memcpy(to, reinterpret_cast<void *>(from), bytes);
    return ok;
  });
}
EXPORT int cuMemsetD8Async(unsigned long long to, unsigned char byte, size_t bytes, void *stream) {
  if (!isDevice(to, bytes))
    return invalidValue;
  return queue(stream, [=] {
    std::memset(reinterpret_cast<void *>(to), byte, bytes);
    return ok;
  });
}

EXPORT int cuStreamCreate(void **stream, unsigned) {
  *stream = new Stream;
  return ok;
}
EXPORT int cuStreamDestroy_v2(void *stream) {
  delete static_cast<Stream *>(stream);
  return ok;
}
EXPORT int cuStreamSynchronize(void *) {
  ++theLog.synchronizations;
  return ok;
}
EXPORT int cuStreamBeginCapture_v2(void *stream, int) {
  if (!stream)
    return invalidValue; // the legacy stream cannot be captured
  static_cast<Stream *>(stream)->capture = new Graph;
  return ok;
}
EXPORT int cuStreamEndCapture(void *stream, void **graph) {
  *graph = std::exchange(static_cast<Stream *>(stream)->capture, nullptr);
  return *graph ? ok : invalidValue;
}
EXPORT int cuGraphInstantiateWithFlags(void **executable, void *graph, unsigned long long) {
  *executable = new Graph(*static_cast<Graph *>(graph));
  return ok;
}
EXPORT int cuGraphLaunch(void *executable, void *stream) {
  for (const auto &work : static_cast<Graph *>(executable)->work)
    if (int result = queue(stream, work))
      return result;
  return ok;
}
EXPORT int cuGraphDestroy(void *graph) {
  delete static_cast<Graph *>(graph);
  return ok;
}
EXPORT int cuGraphExecDestroy(void *graph) {
  delete static_cast<Graph *>(graph);
  return ok;
}

EXPORT int cuEventCreate(void **event, unsigned) {
  *event = new Event;
  return ok;
}
EXPORT int cuEventDestroy_v2(void *event) {
  delete static_cast<Event *>(event);
  return ok;
}
EXPORT int cuEventRecord(void *event, void *) {
  static_cast<Event *>(event)->ms = clockMs;
  return ok;
}
EXPORT int cuEventElapsedTime(float *ms, void *begin, void *end) {
  *ms = float(static_cast<Event *>(end)->ms - static_cast<Event *>(begin)->ms);
  return ok;
}

#ifndef TERCET_FAKE_OLD_DRIVER
EXPORT int cuLibraryLoadData(void **library, const void *code, int *options, void **values, unsigned count, int *,
                             void **, unsigned) {
  std::string image = static_cast<const char *>(code); // as far as its zero byte, like PTX
  theLog.image = image;
  if (image.find("broken") != std::string::npos) {
    for (unsigned index = 0; index < count; ++index)
      if (options[index] == 5)
        std::strcpy(static_cast<char *>(values[index]), "line 7: broken");
    return invalidValue;
  }
  *library = new Library{image};
  return ok;
}
#endif
EXPORT int cuLibraryUnload(void *library) {
  delete static_cast<Library *>(library);
  return ok;
}
EXPORT int cuLibraryGetKernel(void **kernel, void *, const char *name) {
  static std::vector<std::unique_ptr<Kernel>> kernels; // live as long as the process
  if (std::string(name) == "missing")
    return notFound;
  kernels.push_back(std::make_unique<Kernel>(Kernel{name}));
  *kernel = kernels.back().get();
  return ok;
}
EXPORT int cuKernelGetAttribute(int *value, int attribute, void *, int) {
  static const std::map<int, int> values = {{0, 256}, {1, 48}, {3, 0}, {4, 96}};
  auto entry = values.find(attribute);
  *value = entry == values.end() ? 0 : entry->second;
  return entry == values.end() ? invalidValue : ok;
}
EXPORT int cuKernelSetAttribute(int attribute, int value, void *kernel, int) {
  if (attribute != 8 || value > 232448)
    return invalidValue;
  static_cast<Kernel *>(kernel)->dynamicShared = value;
  return ok;
}
EXPORT int cuLaunchKernelEx(const Config *config, void *kernel, void **parameters, void **) {
  auto *found = static_cast<Kernel *>(kernel);
  if (config->shared > unsigned(found->dynamicShared) && config->shared > 48 * 1024)
    return invalidValue;
  FakeCudaLaunch launch;
  launch.kernel = found->name;
  std::copy_n(config->grid, 3, launch.grid);
  launch.threads = config->block[0];
  launch.stream = config->stream;
  launch.shared = config->shared;
  launch.cluster = config->attributeCount && config->attributes[0].id == 4 ? config->attributes[0].value[0] : 1;
  theLog.launches.push_back(launch);
  if (found->name != "scale_rows")
    return ok;
  constexpr int count = 13;
  std::vector<std::vector<char>> bytes; // a launch copies its parameters
  for (int index = 0; index < count; ++index) {
    auto *from = static_cast<char *>(parameters[index]);
    bytes.emplace_back(from, from + (index == 12 ? 128 : 8));
  }
  int blocks = int(config->grid[0]);
  return queue(config->stream, [bytes, blocks]() mutable {
    std::vector<void *> pointers;
    for (std::vector<char> &one : bytes)
      pointers.push_back(one.data());
    return scaleRows(pointers.data(), blocks);
  });
}

EXPORT int cuTensorMapEncodeTiled(void *map, int type, uint32_t rank, void *base, const uint64_t *sizes,
                                  const uint64_t *strides, const uint32_t *box, const uint32_t *steps, int interleave,
                                  int swizzle, int promotion, int fill) {
  if (rank < 1 || rank > 5 || interleave != 0 || fill != 0 || promotion != 2 || uint64_t(base) % 16)
    return invalidValue;
  FakeCudaMap entry{type, int(rank), swizzle, {}, {}, {}};
  for (uint32_t axis = 0; axis < rank; ++axis) {
    if (sizes[axis] == 0 || box[axis] > 256 || steps[axis] != 1 || (axis > 0 && (strides[axis - 1] % 16 != 0)))
      return invalidValue;
    entry.sizes.push_back(sizes[axis]);
    entry.box.push_back(box[axis]);
    if (axis > 0)
      entry.strides.push_back(strides[axis - 1]);
  }
  theLog.maps.push_back(entry);
  std::memcpy(map, &base, sizeof base);
  return ok;
}
