// What is said where no GPU can be used. Each case runs in a process of its own, with the driver that its tag names.
#include "tercet/Session.h"
#include "tercet/rt/CudaDriver.h"

#include <catch2/catch.hpp>

using namespace tercet;

namespace {

std::string refusal() {
  Status status = rt::openCudaDevice(0).takeStatus();
  CHECK(status.code() == Code::deviceUnavailable);
  CHECK(rt::countCudaDevices().status().message() == status.message());
  auto session = *Session::create({.threads = 1, .useCache = false});
  CHECK(session->device("cuda").status().message() == status.message());
  return status.message();
}

} // namespace

TEST_CASE("a driver without a GPU", "[.][init]") {
  CHECK(refusal() == "there is no GPU to run on: cuInit answers CUDA_ERROR_NO_DEVICE (fake)");
}

TEST_CASE("a driver that is too old", "[.][old]") {
  CHECK(refusal() ==
        "there is no GPU to run on: the NVIDIA driver lacks cuLibraryLoadData; drivers of CUDA 12.0 and later have it");
}

TEST_CASE("a driver that does not load", "[.][broken]") {
  CHECK(refusal() == "there is no GPU to run on: the NVIDIA driver's libcuda.so.1 cannot be loaded on this machine");
}
