// The failing path.
#include "core/RegisterWatch.h"

#include "core/Warp.h"

#include <fmt/format.h>

namespace tercet::sim {

void RegisterWatch::fail(Warp &warp, const Instruction &in, Mask mask, uint32_t slot, const char *what) {
  warp.fail(in, mask,
            fmt::format("{} that is still in flight: it was started at line {} and has not been waited for", what,
                        holder ? holder(warp, slot) : 0));
}

} // namespace tercet::sim
