// Loading through cuLibrary, whose kernels belong to no context. A kernel's attributes are set here, once, so that a
// launch changes nothing but the stream.
#include "CudaImage.h"

namespace tercet::rt::cuda {
namespace {

constexpr size_t logBytes = 4096;

Result<int> attributeOf(const CudaContext &context, CuKernel kernel, FunctionAttribute attribute) {
  int value = 0;
  TERCET_RETURN_IF_ERROR(context.api.check(context.api.kernelAttribute(&value, attribute, kernel, context.device),
                                           "cuKernelGetAttribute"));
  return value;
}

} // namespace

Result<std::unique_ptr<GpuImage>> CudaImage::load(std::shared_ptr<const CudaContext> context,
                                                  std::span<const uint8_t> image) {
  CurrentContext current(*context);
  std::string text(image.begin(), image.end()); // PTX has to end in a zero byte, which std::string adds
  std::string log(logBytes, '\0');
  int options[] = {jitErrorLogBuffer, jitErrorLogBufferSizeBytes};
  void *values[] = {log.data(), reinterpret_cast<void *>(logBytes)};
  CuLibrary library = nullptr;
  CuResult result =
      context->api.loadLibrary(&library, text.c_str(), options, values, std::size(options), nullptr, nullptr, 0);
  if (result != 0)
    return Status::make(Code::launchFailed, "the driver does not load the kernels: {}", context->api.describe(result))
        .note("log", log.c_str());
  return std::unique_ptr<GpuImage>(std::make_unique<CudaImage>(std::move(context), library));
}

CudaImage::~CudaImage() {
  CurrentContext current(*context);
  context->api.unloadLibrary(library);
}

Result<std::shared_ptr<const GpuFunction>> CudaImage::find(const std::string &name, int64_t dynamicSharedBytes) {
  CurrentContext current(*context);
  CuKernel kernel = nullptr;
  TERCET_RETURN_IF_ERROR(context->api.check(context->api.kernel(&kernel, library, name.c_str()), "cuLibraryGetKernel"));
  if (dynamicSharedBytes > 0) {
    CuResult result = context->api.setKernelAttribute(maxDynamicSharedSizeBytes, static_cast<int>(dynamicSharedBytes),
                                                      kernel, context->device);
    if (result != 0)
      return Status::make(Code::launchFailed,
                          "kernel {} asks for {} bytes of shared memory, which this GPU refuses: {}", name,
                          dynamicSharedBytes, context->api.describe(result));
  }
  GpuKernelAttributes attributes;
  TERCET_TRY(attributes.registers, attributeOf(*context, kernel, numRegs));
  TERCET_TRY(attributes.staticSharedBytes, attributeOf(*context, kernel, sharedSizeBytes));
  TERCET_TRY(attributes.localBytes, attributeOf(*context, kernel, localSizeBytes));
  TERCET_TRY(attributes.mostThreads, attributeOf(*context, kernel, maxThreadsPerBlock));
  return std::shared_ptr<const GpuFunction>(std::make_shared<CudaFunction>(kernel, attributes));
}

} // namespace tercet::rt::cuda
