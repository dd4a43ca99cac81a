// CodeWriter: indented lines of C++; a block closes itself when its scope object goes.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

namespace tercet::compiler {

class CodeWriter {
public:
  /// An open brace; writes the closing one when destroyed.
  class Scope {
  public:
    Scope(CodeWriter &writer, std::string close) : writer(&writer), close(std::move(close)) { ++writer.depth; }
    Scope(Scope &&other) noexcept : writer(std::exchange(other.writer, nullptr)), close(std::move(other.close)) {}
    Scope &operator=(Scope &&) = delete;
    ~Scope() {
      if (!writer)
        return;
      --writer->depth;
      writer->line("{}", close);
    }

  private:
    CodeWriter *writer;
    std::string close;
  };

  template <typename... Args> void line(fmt::format_string<Args...> format, Args &&...args) {
    std::string text = fmt::format(format, std::forward<Args>(args)...);
    if (!text.empty())
      code.append(static_cast<size_t>(2 * depth), ' ').append(text);
    code += '\n';
  }

  /// A line that opens a brace at its end.
  template <typename... Args> [[nodiscard]] Scope block(fmt::format_string<Args...> format, Args &&...args) {
    line("{}", fmt::format(format, std::forward<Args>(args)...));
    return Scope(*this, "}");
  }
  /// The same with another closing line, such as "});".
  template <typename... Args>
  [[nodiscard]] Scope blockUntil(std::string close, fmt::format_string<Args...> format, Args &&...args) {
    line("{}", fmt::format(format, std::forward<Args>(args)...));
    return Scope(*this, std::move(close));
  }

  /// The inside of a block whose opening brace is written.
  [[nodiscard]] Scope inside() { return Scope(*this, "}"); }

  /// A line between two blocks of one scope, such as "} else {".
  template <typename... Args> void closeAndOpen(fmt::format_string<Args...> format, Args &&...args) {
    --depth;
    line("{}", fmt::format(format, std::forward<Args>(args)...));
    ++depth;
  }

  const std::string &text() const { return code; }

private:
  std::string code;
  int depth = 0;
};

} // namespace tercet::compiler
