#include "ConformanceUnits.h"

#include "tercet/AtomicFile.h"
#include "tercet/compiler/cuda/Nvrtc.h"

namespace tercet::bundle {

Status writeConformance(const std::filesystem::path &source, const std::string &architecture,
                        const std::filesystem::path &folder) {
  constexpr uint64_t largestSource = 1 << 20;
  constexpr std::string_view mark = "//: ";
  TERCET_TRY(std::vector<uint8_t> bytes, readWholeFile(source, largestSource));
  std::string text(bytes.begin(), bytes.end());
  TERCET_TRY(std::shared_ptr<const compiler::Nvrtc> nvrtc, compiler::Nvrtc::get());
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  size_t at = text.find(mark);
  std::string head = text.substr(0, at);
  while (at != std::string::npos) {
    size_t line = text.find('\n', at), next = text.find(mark, line);
    std::string name = text.substr(at + mark.size(), line - at - mark.size());
    TERCET_TRY(compiler::NvrtcOutput output,
               nvrtc->compile(name, head + text.substr(line, next - line), architecture, /*ptxOnly=*/true));
    TERCET_RETURN_IF_ERROR(writeFileAtomically(
        folder / (name + ".ptx"), {reinterpret_cast<const uint8_t *>(output.ptx.data()), output.ptx.size()}));
    at = next;
  }
  return {};
}

} // namespace tercet::bundle
