// Tensor files: references, reading through a mapping, writing through a rename.
#include "tercet/compiler/TensorFile.h"

#include "FileFormats.h"
#include "MappedFile.h"

#include "tercet/AtomicFile.h"

#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

namespace tercet::compiler {
namespace {

constexpr std::string_view npyEnding = ".npy", safetensorsEnding = ".safetensors";

/// Puts the file's name before a message about its content.
Status inFile(const std::string &path, const Status &status) {
  return Status::make(status.code(), "{}: {}", path, status.message());
}

} // namespace

Result<TensorReference> TensorReference::parse(const std::string &text) {
  TensorReference reference{text, {}, Format::npy};
  if (text.ends_with(npyEnding) && text.size() > npyEnding.size())
    return reference;
  reference.format = Format::safetensors;
  if (text.ends_with(safetensorsEnding) && text.size() > safetensorsEnding.size())
    return reference;
  std::string marker = std::string(safetensorsEnding) + ":";
  if (size_t at = text.find(marker); at != std::string::npos && at > 0) {
    reference.path = text.substr(0, at + safetensorsEnding.size());
    reference.tensor = text.substr(at + marker.size());
    if (!reference.tensor.empty())
      return reference;
  }
  if (text.find(std::string(npyEnding) + ":") != std::string::npos)
    return Status::make(Code::invalidArgument, "'{}': an .npy file holds one tensor without a name; leave ':..' out",
                        text);
  return Status::make(Code::invalidArgument,
                      "'{}' is no tensor file; legal are FILE.npy, FILE.safetensors and "
                      "FILE.safetensors:TENSOR",
                      text);
}

Result<StoredTensor> readTensor(const std::string &text) {
  TERCET_TRY(TensorReference reference, TensorReference::parse(text));
  TERCET_TRY(std::shared_ptr<MappedFile> file, MappedFile::open(reference.path));
  Result<TensorLocation> location = reference.format == TensorReference::Format::npy
                                        ? parseNpy(file->bytes())
                                        : parseSafetensors(file->bytes(), reference.tensor);
  if (!location)
    return inFile(reference.path, location.status());
  Result<StoredTensor> stored = tensorAt(file->data(), file, *location);
  if (!stored)
    return inFile(reference.path, stored.status());
  stored->origin = text;
  return stored;
}

Status checkWritable(const std::string &path, DType dtype) {
  TERCET_TRY(TensorReference reference, TensorReference::parse(path));
  if (!reference.tensor.empty())
    return Status::make(Code::invalidArgument, "'{}': an output is named by --out NAME=FILE, without ':TENSOR'", path);
  if (reference.format == TensorReference::Format::npy && dtype == DType::bf16)
    return Status::make(Code::invalidArgument, "cannot write {}: .npy has no bf16; use a .safetensors file", path);
  size_t slash = path.rfind('/');
  std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  struct stat info;
  if (::stat(directory.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))
    return Status::make(Code::invalidArgument, "cannot write {}: there is no directory {}", path, directory);
  if (::access(directory.c_str(), W_OK | X_OK) != 0)
    return Status::make(Code::invalidArgument, "cannot write {}: {}", path, std::strerror(errno));
  if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode))
    return Status::make(Code::invalidArgument, "cannot write {}: it is a directory", path);
  return {};
}

Status writeTensors(const std::string &path, const NamedTensors &tensors) {
  TERCET_CHECK(!tensors.empty(), "a tensor file holds at least one tensor");
  for (const auto &[name, tensor] : tensors)
    TERCET_RETURN_IF_ERROR(checkWritable(path, tensor.dtype));
  if (path.ends_with(safetensorsEnding))
    return writeFileAtomically(path, formatSafetensors(tensors));
  if (tensors.size() > 1)
    return Status::make(Code::invalidArgument,
                        "cannot write {} and {} to {}: an .npy file holds one tensor; use "
                        ".safetensors",
                        tensors[0].first, tensors[1].first, path);
  return writeFileAtomically(path, formatNpy(tensors.front().second));
}

} // namespace tercet::compiler
