// CudaImage: a library of kernels in the driver.
#pragma once

#include "CudaContext.h"

#include "tercet/rt/GpuDevice.h"

namespace tercet::rt::cuda {

class CudaFunction final : public GpuFunction {
public:
  CudaFunction(CuKernel kernel, GpuKernelAttributes attributes) : kernel(kernel), known(attributes) {}
  const GpuKernelAttributes &attributes() const override { return known; }
  const CuKernel kernel;

private:
  GpuKernelAttributes known;
};

class CudaImage final : public GpuImage {
public:
  static Result<std::unique_ptr<GpuImage>> load(std::shared_ptr<const CudaContext> context,
                                                std::span<const uint8_t> image);
  CudaImage(std::shared_ptr<const CudaContext> context, CuLibrary library)
      : context(std::move(context)), library(library) {}
  ~CudaImage() override;
  Result<std::shared_ptr<const GpuFunction>> find(const std::string &name, int64_t dynamicSharedBytes) override;

private:
  std::shared_ptr<const CudaContext> context;
  CuLibrary library;
};

} // namespace tercet::rt::cuda
