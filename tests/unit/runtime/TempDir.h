// TempDir: a private directory that is removed with everything in it.
#pragma once

#include <filesystem>
#include <stdlib.h>
#include <string>

namespace tercet::test {

class TempDir {
public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "tercet-test-XXXXXX").string();
    directory = mkdtemp(name.data());
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all, ignored);
    std::filesystem::remove_all(directory, ignored);
  }
  TempDir(const TempDir &) = delete;
  TempDir &operator=(const TempDir &) = delete;
  const std::filesystem::path &path() const { return directory; }

private:
  std::filesystem::path directory;
};

} // namespace tercet::test
