// A .stack_sizes section is a list of (address of a function, 8 bytes; its stack in bytes, ULEB128); in an object that
// is not linked, a relocation stands for the address.
#include "FunctionFigures.h"

#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/LEB128.h"

using namespace llvm::object;

namespace tercet::compiler {

namespace {

using Place = std::pair<SectionRef, uint64_t>; ///< section, offset in it

template <typename T> std::optional<T> valueOf(llvm::Expected<T> expected) {
  if (expected)
    return std::move(*expected);
  llvm::consumeError(expected.takeError());
  return std::nullopt;
}

/// Where a relocation points; absent if to nothing in the object.
std::optional<Place> targetOf(const ELF64LEObjectFile &object, const ELFRelocationRef &relocation) {
  symbol_iterator symbol = relocation.getSymbol();
  if (symbol == object.symbol_end())
    return std::nullopt;
  std::optional<section_iterator> section = valueOf(symbol->getSection());
  std::optional<uint64_t> value = valueOf(symbol->getValue());
  std::optional<int64_t> addend = valueOf(relocation.getAddend());
  if (!section || *section == object.section_end() || !value || !addend)
    return std::nullopt;
  return Place{**section, *value + static_cast<uint64_t>(*addend)};
}

void readStackSizes(const ELF64LEObjectFile &object, const SectionRef &relocations, std::map<Place, int64_t> &sizes) {
  std::optional<section_iterator> holder = valueOf(relocations.getRelocatedSection());
  if (!holder || *holder == object.section_end() || valueOf((*holder)->getName()) != llvm::StringRef(".stack_sizes"))
    return;
  std::optional<llvm::StringRef> data = valueOf((*holder)->getContents());
  if (!data)
    return;
  for (const ELFRelocationRef relocation : relocations.relocations()) {
    std::optional<Place> place = targetOf(object, relocation);
    uint64_t at = relocation.getOffset() + sizeof(uint64_t);
    if (!place || at >= data->size())
      continue;
    const char *error = nullptr;
    uint64_t size = llvm::decodeULEB128(data->bytes_begin() + at, nullptr, data->bytes_end(), &error);
    if (!error)
      sizes[*place] = static_cast<int64_t>(size);
  }
}

} // namespace

std::map<std::string, FunctionFigures> functionFigures(const std::vector<uint8_t> &bytes) {
  llvm::StringRef content(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  auto object = valueOf(ELF64LEObjectFile::create(llvm::MemoryBufferRef(content, "code")));
  if (!object)
    return {};
  std::map<Place, int64_t> stackSizes;
  for (const SectionRef &section : object->sections())
    readStackSizes(*object, section, stackSizes);
  std::map<std::string, FunctionFigures> figures;
  for (const ELFSymbolRef &symbol : object->symbols()) {
    std::optional<llvm::StringRef> name = valueOf(symbol.getName());
    std::optional<section_iterator> section = valueOf(symbol.getSection());
    std::optional<uint64_t> value = valueOf(symbol.getValue());
    if (symbol.getELFType() != llvm::ELF::STT_FUNC || symbol.getBinding() != llvm::ELF::STB_GLOBAL || !name ||
        !section || *section == object->section_end() || !value)
      continue;
    FunctionFigures &own = figures[name->str()];
    own.codeBytes = static_cast<int64_t>(symbol.getSize());
    if (auto stack = stackSizes.find({**section, *value}); stack != stackSizes.end())
      own.stackBytes = stack->second;
  }
  return figures;
}

} // namespace tercet::compiler
