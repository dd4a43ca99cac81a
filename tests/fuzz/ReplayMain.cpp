// Runs a fuzz target over files and folders, once each: the regression test of a corpus, with any compiler.
#include "Target.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace fs = std::filesystem;

static std::vector<fs::path> filesUnder(const fs::path &path) {
  if (!fs::is_directory(path))
    return {path};
  std::vector<fs::path> files;
  for (const fs::directory_entry &entry : fs::directory_iterator(path))
    if (entry.is_regular_file())
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

int main(int count, char **words) {
  size_t inputs = 0;
  for (int word = 1; word < count; ++word)
    for (const fs::path &path : filesUnder(words[word])) {
      std::ifstream file(path, std::ios::binary);
      std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
      if (!file.is_open() || bytes.empty()) {
        std::fprintf(stderr, "cannot read %s, or it is empty\n", path.c_str());
        return 1;
      }
      std::printf("%s\n", path.c_str());
      std::fflush(stdout); // the last line names the input that crashed
      LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size());
      ++inputs;
    }
  std::printf("%zu inputs\n", inputs);
  return inputs > 0 ? 0 : 1;
}
