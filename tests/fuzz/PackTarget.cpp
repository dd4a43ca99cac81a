// Fuzz target: packs of tuning candidates. Input: a manifest, then after its first NUL byte a section area, put into a file that is whole
// and signed; random damage would end at the digest. The input is read as a file of its own, too.
#include "Target.h"

#include "tercet/SectionFile.h"
#include "tercet/autotune/Pack.h"

using namespace tercet;

static void read(std::span<const uint8_t> file) {
  Result<tune::Pack> pack = tune::Pack::parse(file);
  if (!pack.ok())
    return fuzz::checkRefusal(pack.status(), Code::invalidArgument);
  std::vector<uint8_t> written = pack->serialize();
  Result<tune::Pack> again = tune::Pack::parse(written);
  TERCET_CHECK(again.ok() && again->serialize() == written, "what was read is written, and read again");
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  constexpr SectionFormat format{"TERCETPK", tune::Pack::formatVersion, "a pack", 1 << 24, 1 << 30};
  std::string_view input(reinterpret_cast<const char *>(data), size);
  size_t end = std::min(input.find('\0'), input.size());
  SectionBytes area(data + std::min(end + 1, size), size - std::min(end + 1, size));
  read(writeSectionFile(format, std::string(input.substr(0, end)), {&area, 1}));
  read({data, size});
  return 0;
}
