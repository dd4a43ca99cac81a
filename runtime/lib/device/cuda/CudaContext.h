// CudaContext: a GPU's primary context, made current for the length of a call and put back afterwards, so that an
// embedder's own context is never disturbed.
#pragma once

#include "CudaApi.h"

namespace tercet::rt::cuda {

class CudaContext {
public:
  CudaContext(const CudaApi &api, CuDevice device, CuContext context) : api(api), device(device), context(context) {}
  ~CudaContext() { api.releaseContext(device); }
  CudaContext(const CudaContext &) = delete;
  CudaContext &operator=(const CudaContext &) = delete;

  const CudaApi &api;
  const CuDevice device;
  const CuContext context;
};

class CurrentContext {
public:
  explicit CurrentContext(const CudaContext &owner) : api(owner.api) { pushed = api.pushContext(owner.context) == 0; }
  ~CurrentContext() {
    CuContext popped;
    if (pushed)
      api.popContext(&popped);
  }
  CurrentContext(const CurrentContext &) = delete;
  CurrentContext &operator=(const CurrentContext &) = delete;

private:
  const CudaApi &api;
  bool pushed;
};

} // namespace tercet::rt::cuda
