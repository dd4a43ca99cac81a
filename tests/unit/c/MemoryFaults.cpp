#include "MemoryFaults.h"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>

extern "C" {
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);
}

namespace tercet::test {
namespace {

thread_local long chosen = 0, seen = 0; // 0: none
thread_local size_t smallest = 0;
thread_local bool isRefusing = false, refusesAll = false;
std::atomic<long> live{0};

bool isRefused(size_t size) {
  if (chosen == 0 || size < smallest)
    return false;
  ++seen;
  if (seen != chosen && !(refusesAll && seen > chosen))
    return false;
  isRefusing = true;
  errno = ENOMEM;
  return true;
}

void *counted(void *memory) {
  live += memory != nullptr;
  return memory;
}

} // namespace

void refuseAllocation(Refuse which, long number, size_t atLeast) {
  smallest = atLeast;
  refusesAll = which == Refuse::all;
  isRefusing = false;
  seen = 0;
  chosen = number;
}

bool allowAllocations() {
  chosen = 0;
  return isRefusing;
}

long liveAllocations() { return live; }

} // namespace tercet::test

using namespace tercet::test;

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT void *malloc(size_t size) { return isRefused(size) ? nullptr : counted(__libc_malloc(size)); }

EXPORT void *calloc(size_t count, size_t size) {
  return isRefused(count * size) ? nullptr : counted(__libc_calloc(count, size));
}

EXPORT void *realloc(void *memory, size_t size) {
  if (size > 0 && isRefused(size))
    return nullptr;
  void *moved = __libc_realloc(memory, size);
  live += (moved != nullptr) - (memory != nullptr && (moved != nullptr || size == 0));
  return moved;
}

EXPORT void *memalign(size_t alignment, size_t size) {
  return isRefused(size) ? nullptr : counted(__libc_memalign(alignment, size));
}

EXPORT void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

EXPORT int posix_memalign(void **memory, size_t alignment, size_t size) {
  *memory = memalign(alignment, size);
  return *memory ? 0 : ENOMEM;
}

EXPORT void free(void *memory) {
  live -= memory != nullptr;
  __libc_free(memory);
}
