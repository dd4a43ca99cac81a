// CompiledKernel: kernels for tests of the library with the compiler.
#pragma once

#include "TestCall.h"

namespace tercet::test {

inline tercet_spec builtin(const char *name) {
  tercet_spec spec = TERCET_SPEC_INIT;
  spec.name = name;
  return spec;
}

inline tercet_compile_options forDimension(int64_t dim, tercet_direction direction = TERCET_INFERENCE) {
  tercet_compile_options options = TERCET_COMPILE_OPTIONS_INIT;
  options.head_dim = dim;
  options.direction = direction;
  return options;
}

inline KernelHandle compiled(tercet_session *session, tercet_spec spec, tercet_compile_options options) {
  tercet_kernel *kernel = nullptr;
  succeed(tercet_compile(session, &spec, &options, &kernel));
  return KernelHandle(kernel);
}

/// Dense attention, head dimension 32; one for all tests, for it is immutable.
inline const tercet_kernel *denseKernel() {
  static const SessionHandle session = newSession();
  static const KernelHandle kernel = compiled(session.get(), builtin("dense"), forDimension(32));
  return kernel.get();
}

} // namespace tercet::test
