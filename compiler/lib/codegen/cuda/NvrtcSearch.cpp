// Where NVRTC may be.
#include "NvrtcFolders.h"

#include "tercet/Environment.h"
#include "tercet/compiler/cuda/Nvrtc.h"

#include <algorithm>
#include <dlfcn.h>

namespace tercet::compiler {

namespace fs = std::filesystem;

fs::path folderOfThisBinary() {
  Dl_info info;
  std::error_code error;
  if (dladdr(reinterpret_cast<void *>(&folderOfThisBinary), &info) == 0 || !info.dli_fname)
    return {};
  fs::path file = fs::canonical(info.dli_fname, error);
  if (error) // a program started by a name without a folder
    file = fs::read_symlink("/proc/self/exe", error);
  return file.parent_path();
}

// libnvrtc.so.13 in a folder, the newest name first; other libraries there (libnvrtc-builtins) have other names.
static void addLibraries(const fs::path &folder, std::vector<std::string> &candidates) {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().filename().string().starts_with("libnvrtc.so."))
      found.push_back(entry->path().string());
  std::sort(found.rbegin(), found.rend());
  candidates.insert(candidates.end(), found.begin(), found.end());
}

std::vector<std::string> Nvrtc::candidates() {
  if (!environment().nvrtc.empty())
    return {environment().nvrtc};
  std::vector<std::string> candidates;
  if (fs::path folder = folderOfThisBinary(); !folder.empty())
    addLibraries(folder.parent_path() / "lib" / "nvrtc", candidates);
  for (const char *name : {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"})
    candidates.emplace_back(name);
  addLibraries("/usr/local/cuda/lib64", candidates);
  return candidates;
}

} // namespace tercet::compiler
