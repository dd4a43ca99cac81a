// An NVRTC for tests: what it does is the word in FAKE_NVRTC.
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

bool is(const char *mode) {
  const char *asked = std::getenv("FAKE_NVRTC");
  return asked && std::strcmp(asked, mode) == 0;
}

int answer(const char *text, size_t *size) {
  *size = std::strlen(text) + 1;
  return 0;
}

int fill(const char *text, char *to) {
  std::strcpy(to, text);
  return 0;
}

const char *log() { return is("rejects") ? "k.cu(1): error: no" : "ptxas info    : Used 8 registers"; }

} // namespace

EXPORT int nvrtcVersion(int *major, int *minor) {
  *major = is("old") ? 12 : 13;
  *minor = is("old") ? 7 : 0;
  return is("no version") ? 1 : 0;
}
EXPORT int nvrtcGetNumSupportedArchs(int *count) {
  *count = 2;
  return is("no architectures") ? 1 : 0;
}
EXPORT int nvrtcGetSupportedArchs(int *numbers) {
  numbers[0] = 80, numbers[1] = 90;
  return 0;
}
EXPORT const char *nvrtcGetErrorString(int) { return "FAKE_ERROR"; }
EXPORT int nvrtcCreateProgram(void **program, const char *, const char *, int, const char *const *,
                              const char *const *) {
  *program = program;
  return is("no program") ? 1 : 0;
}
EXPORT int nvrtcDestroyProgram(void **) { return 0; }
EXPORT int nvrtcCompileProgram(void *, int, const char *const *) {
  if (is("crashes")) {
    signal(SIGSEGV, SIG_DFL); // past whoever catches it, such as a sanitizer
    raise(SIGSEGV);
  }
  if (is("aborts"))
    std::abort();
  if (is("exits"))
    _exit(0);
  if (is("hangs"))
    for (;;)
      pause();
  return is("rejects") ? 6 : 0;
}
EXPORT int nvrtcGetProgramLogSize(void *, size_t *size) { return answer(log(), size); }
EXPORT int nvrtcGetProgramLog(void *, char *to) { return fill(log(), to); }
EXPORT int nvrtcGetPTXSize(void *, size_t *size) { return answer(".version 8.0", size); }
EXPORT int nvrtcGetPTX(void *, char *to) { return fill(".version 8.0", to); }
EXPORT int nvrtcGetCUBINSize(void *, size_t *size) { return is("gives nothing") ? 1 : answer("cubin", size); }
EXPORT int nvrtcGetCUBIN(void *, char *to) { return fill("cubin", to); }
