// Warnings: collects what the library warns of while it lives.
#pragma once

#include "tercet/Log.h"

#include <string>
#include <vector>

namespace tercet::test {

struct Warnings {
  std::vector<std::string> lines;

  Warnings() {
    setLogSink([this](LogLevel, std::string_view message) { lines.emplace_back(message); }, LogLevel::warn);
  }
  ~Warnings() { setLogSink({}); }
  Warnings(const Warnings &) = delete;
  Warnings &operator=(const Warnings &) = delete;
};

} // namespace tercet::test
