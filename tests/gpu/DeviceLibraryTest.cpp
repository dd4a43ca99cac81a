// The device library is real CUDA: each file compiles alone, without CUDA headers, for every architecture.
#include "tercet/compiler/cuda/DeviceLibrary.h"
#include "tercet/compiler/cuda/CudaTarget.h"
#include "tercet/compiler/cuda/Nvrtc.h"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>

using namespace tercet;
using namespace tercet::compiler;

TEST_CASE("every file of the device library compiles alone for every architecture", "[nvrtc]") {
  auto nvrtc = *Nvrtc::get();
  for (int number : nvrtc->architectures()) {
    std::string arch = fmt::format("sm_{}{}", number, number == 90 ? "a" : "");
    if (!parseCudaTarget(arch).ok())
      continue;
    for (const DeviceFile &file : deviceFiles()) {
      INFO(file.name << " for " << arch);
      auto output = nvrtc->compile("alone", fmt::format("#include \"{}\"\n", file.name), arch);
      INFO((output.ok() ? output->log : output.status().notes()[0].second));
      CHECK(output.ok());
      CHECK((output.ok() && output->log.find("warning") == std::string::npos));
    }
  }
}

TEST_CASE("what is embedded is what lies in compiler/device", "[nvrtc]") {
  CHECK(deviceLibraryDigest().size() == 32);
  size_t onDisk = 0;
  for (const auto &entry : std::filesystem::recursive_directory_iterator("compiler/device"))
    onDisk += entry.path().extension() == ".cuh";
  CHECK(deviceFiles().size() == onDisk);
  for (const DeviceFile &file : deviceFiles()) {
    std::ifstream in("compiler/device/" + std::string(file.name), std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    INFO(file.name);
    CHECK(text == file.text);
  }
}
