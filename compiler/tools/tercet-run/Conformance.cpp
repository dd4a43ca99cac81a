#include "Conformance.h"

#include "TableRun.h"

#include "tercet/AtomicFile.h"
#include "tercet/Digest.h"
#include "tercet/rt/SimulatedGpu.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace tercet::run {
namespace {

using cli::Json;
using Words = std::vector<uint32_t>;

constexpr size_t inputWords = 1024, outputWords = 256;
constexpr const char *fillNames[] = {"bits", "floats", "integers"};

uint32_t random(uint64_t index) { return static_cast<uint32_t>(digestOf(fmt::format("{}", index)).low); }

Words input(size_t fill) {
  Words words(inputWords);
  for (size_t i = 0; i < words.size(); ++i) {
    uint32_t bits = random(fill * inputWords + i);
    float magnitude =
        std::exp2(static_cast<float>(bits % 9) - 4.0f) * (1.0f + static_cast<float>(bits >> 9) * 0x1p-23f);
    words[i] = fill == 0 ? bits : fill == 1 ? std::bit_cast<uint32_t>(bits & 256 ? -magnitude : magnitude) : bits % 64;
  }
  return words;
}

Result<Words> runOn(std::shared_ptr<rt::GpuDevice> device, const std::vector<uint8_t> &ptx, const std::string &name,
                    const Words &words) {
  TERCET_TRY(std::unique_ptr<rt::GpuImage> image, device->load(ptx));
  TERCET_TRY(std::shared_ptr<const rt::GpuFunction> function, image->find(name, 0));
  TERCET_TRY(rt::GpuMemory in, rt::GpuMemory::allocate(device, words.size() * sizeof(uint32_t)));
  TERCET_TRY(rt::GpuMemory out, rt::GpuMemory::allocate(device, outputWords * sizeof(uint32_t)));
  Words result(outputWords);
  TERCET_RETURN_IF_ERROR(device->copyToDevice(in.data(), words.data(), in.size(), nullptr));
  TERCET_RETURN_IF_ERROR(device->fill(out.data(), 0, out.size(), nullptr));
  void *addresses[] = {in.data(), out.data()};
  rt::GpuParameter parameters[] = {{&addresses[0], sizeof(void *)}, {&addresses[1], sizeof(void *)}};
  rt::GpuLaunch launch;
  launch.threads = 32;
  launch.parameters = parameters;
  TERCET_RETURN_IF_ERROR(device->launch(*function, launch, nullptr));
  TERCET_RETURN_IF_ERROR(device->copyToHost(result.data(), out.data(), out.size(), nullptr));
  TERCET_RETURN_IF_ERROR(device->synchronize(nullptr));
  return result;
}

/// NaNs of any payload are equal: instructions may make any.
bool same(uint32_t a, uint32_t b) {
  return a == b || (std::isnan(std::bit_cast<float>(a)) && std::isnan(std::bit_cast<float>(b)));
}

Json compare(const Words &device, const Words &simulated, size_t fill) {
  Json result = {{"fill", fillNames[fill]}, {"words", device.size()}, {"different", 0}};
  int64_t different = 0;
  std::string hex;
  for (size_t i = 0; i < device.size(); ++i) {
    hex += fmt::format("{:08x}", device[i]);
    if (same(device[i], simulated[i]))
      continue;
    if (different++ == 0)
      result["first"] = fmt::format("word {}: {:08x} on the device, {:08x} simulated", i, device[i], simulated[i]);
  }
  result["different"] = different;
  result["device"] = hex;
  return result;
}

/// "sm_80" of PTX text that says ".target sm_80".
std::string architectureOf(const std::vector<uint8_t> &ptx) {
  std::string text(ptx.begin(), ptx.end());
  size_t at = text.find(".target ");
  return at == std::string::npos ? "" : text.substr(at + 8, text.find_first_of(",\n", at) - at - 8);
}

Json checkKernel(const std::filesystem::path &path, std::shared_ptr<rt::GpuDevice> device) {
  constexpr uint64_t largestPtx = 1 << 20;
  Json result = {{"kernel", path.stem().string()}};
  auto skipped = [&](const std::string &why) {
    result["skipped"] = why;
    return result;
  };
  Result<std::vector<uint8_t>> ptx = readWholeFile(path, largestPtx);
  if (!ptx.ok())
    return skipped(ptx.status().message());
  Result<std::shared_ptr<rt::GpuDevice>> simulator = rt::openSimulatedGpu("sim:" + architectureOf(*ptx));
  if (!simulator.ok())
    return skipped(simulator.status().message());
  for (size_t fill = 0; fill < std::size(fillNames); ++fill) {
    Words words = input(fill);
    Result<Words> simulated = runOn(*simulator, *ptx, path.stem().string(), words);
    if (!simulated.ok())
      return skipped("the simulator: " + simulated.status().message());
    Result<Words> real = runOn(device, *ptx, path.stem().string(), words);
    if (!real.ok())
      return skipped("the device: " + real.status().message());
    result["fills"].push_back(compare(*real, *simulated, fill));
  }
  return result;
}

} // namespace

Result<Json> checkConformance(const std::filesystem::path &folder, const std::string &target) {
  TERCET_TRY(OpenedTarget opened, openTarget(target));
  if (!opened.device)
    return Status::make(Code::unsupportedTarget, "'{}' executes no PTX; legal are cuda:N and sim:ARCH", target);
  std::vector<std::filesystem::path> files;
  std::error_code failed;
  for (const auto &entry : std::filesystem::directory_iterator(folder, failed))
    if (entry.path().extension() == ".ptx")
      files.push_back(entry.path());
  if (failed || files.empty())
    return Status::make(Code::invalidArgument, "{} holds no .ptx file", folder.string());
  std::sort(files.begin(), files.end());
  Json object = {{"command", "conformance"},
                 {"target", target},
                 {"device", opened.device->properties().name},
                 {"equal", 0},
                 {"kernels", Json::array()}};
  int64_t equal = 0;
  for (const std::filesystem::path &file : files) {
    Json result = checkKernel(file, opened.device);
    bool isEqual = result.contains("fills");
    if (isEqual)
      for (const Json &fill : result["fills"])
        isEqual = isEqual && fill["different"].get<int64_t>() == 0;
    equal += isEqual;
    result["equal"] = isEqual;
    object["kernels"].push_back(std::move(result));
  }
  object["equal"] = equal;
  return object;
}

} // namespace tercet::run
