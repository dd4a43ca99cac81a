// A module as a compiler would emit it: one kernel with the CPU ABI. Built into a shared object that tests load from
// memory.
#include <cstdint>

extern "C" __attribute__((visibility("default"))) void sample_kernel(const int64_t *slots, int64_t item0, int64_t,
                                                                     int64_t, char *) {
  reinterpret_cast<int64_t *>(slots[0])[item0] = TERCET_SAMPLE_VALUE + item0;
}
