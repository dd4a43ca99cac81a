// For tests that need NVRTC: exit status 77, "skipped", where there is none.
#define CATCH_CONFIG_EXTERNAL_INTERFACES
#include <catch2/catch.hpp>

#include "tercet/compiler/cuda/Nvrtc.h"

#include <cstdio>
#include <cstdlib>

namespace {

struct NvrtcRequired : Catch::TestEventListenerBase {
  using TestEventListenerBase::TestEventListenerBase;

  void testRunStarting(const Catch::TestRunInfo &) override {
    auto nvrtc = tercet::compiler::Nvrtc::get();
    if (!nvrtc.ok()) {
      std::printf("SKIPPED: %s\n", nvrtc.status().message().c_str());
      std::exit(77);
    }
    std::printf("NVRTC %s, %s\n", (*nvrtc)->version().c_str(), (*nvrtc)->path().c_str());
  }
};

} // namespace

CATCH_REGISTER_LISTENER(NvrtcRequired)
