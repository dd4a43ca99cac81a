// Fuzz target: .safetensors files, read without a tensor's name and with one that the corpus uses.
#include "TensorFileCheck.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::vector<uint8_t> file(data, data + size);
  for (const char *name : {"", "a"})
    tercet::fuzz::checkTensorFile(file, tercet::compiler::parseSafetensors(file, name));
  return 0;
}
