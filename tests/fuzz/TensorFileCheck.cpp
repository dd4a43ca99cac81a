#include "TensorFileCheck.h"

#include <cstring>

using namespace tercet;
using namespace tercet::compiler;

static std::vector<uint8_t> elementsOf(const Tensor &tensor) {
  std::vector<uint8_t> bytes;
  appendElements(tensor, bytes);
  return bytes;
}

static StoredTensor read(std::vector<uint8_t> &file, const TensorLocation &location) {
  std::shared_ptr<void> owner(file.data(), [](void *) {});
  Result<StoredTensor> tensor = tensorAt(file.data(), owner, location);
  TERCET_CHECK(tensor.ok(), "what lies in a file fits into memory");
  return *std::move(tensor);
}

static void checkWritten(std::vector<uint8_t> file, const Result<TensorLocation> &location, const Tensor &tensor) {
  TERCET_CHECK(location.ok() && location->dtype == tensor.dtype, "what was written is read");
  TERCET_CHECK(elementsOf(read(file, *location).view) == elementsOf(tensor), "a file keeps every bit of its elements");
}

void fuzz::checkTensorFile(std::vector<uint8_t> file, const Result<TensorLocation> &location) {
  if (!location.ok())
    return checkRefusal(location.status(), Code::invalidArgument);
  TERCET_CHECK(location->offset <= file.size() && location->bytes <= file.size() - location->offset,
               "a tensor lies inside its file");
  StoredTensor stored = read(file, *location);
  TERCET_CHECK(static_cast<size_t>(stored.view.elements()) * dtypeSize(stored.view.dtype) == location->bytes,
               "a tensor's shape fills its bytes");
  std::vector<uint8_t> image = formatSafetensors({{"t", stored.view}});
  checkWritten(image, parseSafetensors(image, "t"), stored.view);
  if (stored.view.dtype == DType::bf16)
    return;
  image = formatNpy(stored.view);
  checkWritten(image, parseNpy(image), stored.view);
}
