#include "CudaTensorMap.h"

namespace tercet::rt::cuda {
namespace {

TensorMapType typeOf(DType dtype) {
  switch (dtype) {
  case DType::f32:
    return typeFloat32;
  case DType::f16:
    return typeFloat16;
  case DType::bf16:
    return typeBfloat16;
  case DType::f64:
    return typeFloat64;
  case DType::i32:
    return typeInt32;
  case DType::i8:
    break;
  }
  return typeUint8;
}

} // namespace

Result<TensorMapBytes> encodeTensorMap(const CudaApi &api, const TensorMapDescription &map) {
  constexpr int noInterleave = 0, zeroFill = 0;
  const uint32_t elementStrides[] = {1, 1, 1, 1, 1};
  TensorMapBytes encoded;
  CuResult result = api.encodeTensorMap(encoded.bytes.data(), typeOf(map.dtype), static_cast<uint32_t>(map.rank),
                                        const_cast<void *>(map.base), map.sizes.data(), map.strideBytes.data(),
                                        map.box.data(), elementStrides, noInterleave, static_cast<int>(map.swizzle),
                                        l2Promotion128B, zeroFill); // Swizzle counts as CUtensorMapSwizzle does
  TERCET_RETURN_IF_ERROR(api.check(result, "cuTensorMapEncodeTiled", Code::invalidArgument));
  return encoded;
}

} // namespace tercet::rt::cuda
