// In a build without the JIT there is no cpu backend.
#include "Backend.h"

namespace tercet::test {
Backend *cpuBackend() { return nullptr; }
} // namespace tercet::test
