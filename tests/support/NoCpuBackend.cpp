// In a build without the JIT there is no cpu backend.
#include "Backend.h"

namespace tercet::test {
std::vector<Backend *> cpuBackends() { return {}; }
} // namespace tercet::test
