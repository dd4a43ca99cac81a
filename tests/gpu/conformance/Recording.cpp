#include "Recording.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace tercet::conformance {

namespace {

using Json = nlohmann::json;

constexpr uint8_t untouched = 0; // what outputs are filled with

bool runsOn(const Case &given, const rt::GpuProperties &device) {
  if (given.needs == 900)
    return device.major == 9 && device.architecture == "sm_90a";
  return device.major * 10 + device.minor >= given.needs;
}

Result<std::vector<uint8_t>> runCase(rt::GpuDevice &device, const Case &given) {
  std::string text = kernelText(given);
  text.push_back('\0'); // a driver wants PTX to end so
  std::span<const uint8_t> image(reinterpret_cast<const uint8_t *>(text.data()),
                                 text.size() - (device.properties().runsCubin ? 0 : 1));
  TERCET_TRY(std::unique_ptr<rt::GpuImage> loaded, device.load(image));
  constexpr int64_t sharedBytes = 65536;
  TERCET_TRY(std::shared_ptr<const rt::GpuFunction> function, loaded->find("conformance", sharedBytes));
  std::vector<uint8_t> input = inputOf(given), output(given.outBytes);
  TERCET_TRY(void *in, device.allocate(std::max<size_t>(input.size(), 16)));
  TERCET_TRY(void *out, device.allocate(output.size()));
  auto run = [&]() -> Status {
    if (!input.empty())
      TERCET_RETURN_IF_ERROR(device.copyToDevice(in, input.data(), input.size(), nullptr));
    TERCET_RETURN_IF_ERROR(device.fill(out, untouched, output.size(), nullptr));
    rt::TensorMapBytes map;
    if (given.map) {
      rt::TensorMapDescription description = *given.map;
      description.base = given.mapOfOut ? out : in;
      TERCET_TRY(map, device.encodeTensorMap(description));
    }
    std::vector<rt::GpuParameter> parameters = {{&in, sizeof in}, {&out, sizeof out}};
    if (given.map)
      parameters.push_back({&map, sizeof map});
    rt::GpuLaunch launch;
    launch.threads = given.threads;
    launch.sharedBytes = sharedBytes;
    launch.parameters = parameters;
    TERCET_RETURN_IF_ERROR(device.launch(*function, launch, nullptr));
    TERCET_RETURN_IF_ERROR(device.copyToHost(output.data(), out, output.size(), nullptr));
    return device.synchronize(nullptr);
  };
  Status status = run();
  device.release(in);
  device.release(out);
  TERCET_RETURN_IF_ERROR(std::move(status));
  return output;
}

std::string hexOf(const std::vector<uint8_t> &bytes) {
  std::string text;
  for (uint8_t byte : bytes)
    text += fmt::format("{:02x}", byte);
  return text;
}

Result<std::vector<uint8_t>> bytesOf(const std::string &hex) {
  std::vector<uint8_t> bytes;
  if (hex.size() % 2 || hex.find_first_not_of("0123456789abcdef") != std::string::npos)
    return Status::make(Code::invalidArgument, "a recording holds an output that is not hexadecimal");
  for (size_t at = 0; at < hex.size(); at += 2)
    bytes.push_back(uint8_t(std::stoi(hex.substr(at, 2), nullptr, 16)));
  return bytes;
}

float floatAt(const std::vector<uint8_t> &bytes, size_t at) {
  float value;
  std::memcpy(&value, bytes.data() + at, 4);
  return value;
}

// Whether two f32 are as close as the case asks for; `largest` is the largest finite output.
bool isClose(const Case &given, float expected, float got, double largest) {
  if (expected != expected || got != got)
    return expected != expected && got != got;
  if (std::isinf(expected) || std::isinf(got))
    return expected == got;
  double unit = given.compare == Compare::relative ? largest * 0x1p-24
                                                   : std::max(std::fabs(double(expected)), 0x1p-126) * 0x1p-23;
  double difference = std::fabs(double(expected) - double(got));
  return difference <= given.ulps * unit || difference <= given.absolute;
}

} // namespace

Recording record(rt::GpuDevice &device, const std::string &only) {
  Recording recording{device.properties().name, device.properties().driver, {}, {}};
  for (const Case &given : allCases()) {
    if (!runsOn(given, device.properties()) || (!only.empty() && given.name != only))
      continue;
    Result<std::vector<uint8_t>> output = runCase(device, given);
    if (output.ok())
      recording.outputs[given.name] = *std::move(output);
    else
      recording.failures[given.name] = output.status().message();
  }
  return recording;
}

std::string toJson(const Recording &recording) {
  Json json = {{"device", recording.device},
               {"driver", recording.driver},
               {"failures", recording.failures},
               {"outputs", Json::object()}};
  for (const auto &[name, bytes] : recording.outputs)
    json["outputs"][name] = hexOf(bytes);
  return json.dump(1) + "\n";
}

Result<Recording> fromJson(const std::string &text) {
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("outputs") || !json["outputs"].is_object())
    return Status::make(Code::invalidArgument, "this is no recording: a JSON object with \"outputs\"");
  Recording recording{json.value("device", ""), json.value("driver", ""), {}, {}};
  for (const auto &[name, hex] : json["outputs"].items()) {
    TERCET_TRY(recording.outputs[name], bytesOf(hex.is_string() ? hex.get<std::string>() : "?"));
  }
  if (json.contains("failures") && json["failures"].is_object())
    for (const auto &[name, why] : json["failures"].items())
      recording.failures[name] = why.is_string() ? why.get<std::string>() : "";
  return recording;
}

Agreement compare(const Case &given, const Recording &expected, const Recording &got) {
  if (auto failure = got.failures.find(given.name); failure != got.failures.end())
    return {Agreement::Kind::failed, failure->second};
  auto left = expected.outputs.find(given.name), right = got.outputs.find(given.name);
  if (left == expected.outputs.end() || right == got.outputs.end())
    return {Agreement::Kind::absent, "not run"};
  const std::vector<uint8_t> &want = left->second, &have = right->second;
  if (want == have)
    return {Agreement::Kind::equal, ""};
  if (want.size() != have.size())
    return {Agreement::Kind::different, fmt::format("{} bytes where {} are expected", have.size(), want.size())};
  size_t first = size_t(std::mismatch(want.begin(), want.end(), have.begin()).first - want.begin()) / 4 * 4;
  uint32_t a = 0, b = 0;
  std::memcpy(&a, want.data() + first, std::min<size_t>(4, want.size() - first));
  std::memcpy(&b, have.data() + first, std::min<size_t>(4, want.size() - first));
  std::string detail = fmt::format("word {} is {:#010x} where {:#010x} is expected", first / 4, b, a);
  if (given.compare == Compare::bits)
    return {Agreement::Kind::different, detail};
  double largest = 0;
  for (size_t at = 0; at + 4 <= want.size(); at += 4)
    if (std::isfinite(floatAt(want, at)))
      largest = std::max(largest, std::fabs(double(floatAt(want, at))));
  for (size_t at = 0; at + 4 <= want.size(); at += 4)
    if (!isClose(given, floatAt(want, at), floatAt(have, at), largest))
      return {Agreement::Kind::different,
              fmt::format("word {} is {} where {} is expected", at / 4, floatAt(have, at), floatAt(want, at))};
  return {Agreement::Kind::close, detail};
}

} // namespace tercet::conformance
