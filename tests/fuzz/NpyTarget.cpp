// Fuzz target: .npy files.
#include "TensorFileCheck.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::vector<uint8_t> file(data, data + size);
  tercet::fuzz::checkTensorFile(file, tercet::compiler::parseNpy(file));
  return 0;
}
