// Entry point of the tests that need NVRTC: exit status 77, "skipped", where there is none.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#include "tercet/compiler/cuda/Nvrtc.h"

#include <cstdio>

int main(int argc, char **argv) {
  auto nvrtc = tercet::compiler::Nvrtc::get();
  if (!nvrtc.ok()) {
    std::printf("SKIPPED: %s\n", nvrtc.status().message().c_str());
    return 77;
  }
  std::printf("NVRTC %s, %s\n", (*nvrtc)->version().c_str(), (*nvrtc)->path().c_str());
  return Catch::Session().run(argc, argv);
}
