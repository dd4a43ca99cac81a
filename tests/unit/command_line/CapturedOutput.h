// CapturedOutput: what the process writes to standard output while this lives.
#pragma once

#include <catch2/catch.hpp>

#include <cstdio>
#include <string>
#include <unistd.h>

namespace tercet::test {

class CapturedOutput {
public:
  CapturedOutput() {
    std::fflush(stdout);
    REQUIRE(file);
    REQUIRE(saved >= 0);
    REQUIRE(::dup2(::fileno(file), STDOUT_FILENO) >= 0);
  }
  ~CapturedOutput() {
    std::fflush(stdout);
    ::dup2(saved, STDOUT_FILENO);
    ::close(saved);
    std::fclose(file);
  }
  CapturedOutput(const CapturedOutput &) = delete;
  CapturedOutput &operator=(const CapturedOutput &) = delete;

  /// All that was written so far.
  std::string text() {
    std::fflush(stdout);
    std::string content;
    std::rewind(file);
    for (int character; (character = std::fgetc(file)) != EOF;)
      content += static_cast<char>(character);
    return content;
  }

private:
  std::FILE *file = std::tmpfile();
  int saved = ::dup(STDOUT_FILENO);
};

} // namespace tercet::test
