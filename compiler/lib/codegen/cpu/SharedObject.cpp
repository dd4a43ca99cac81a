// Object -> ELF shared object that the system's loader takes. Generated code has constants and text, addresses
// everything relative to itself and calls nothing outside, so all that is left to link is to lay out sections, resolve
// PC-relative relocations and name the symbols. LLD as a library would do the same and bring LTO, every IR pass and
// Polly into the program (docs/decisions/0003-cpu-code-path.md).
#include "ObjectCode.h"

#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/Endian.h"

#include <cstring>
#include <map>

using namespace llvm::ELF;
using namespace tercet;

namespace {
constexpr uint64_t pageSize = 4096;

uint64_t alignTo(uint64_t value, uint64_t alignment) { return (value + alignment - 1) / alignment * alignment; }

/// The image in file order, which is also its memory order: file offset and address are equal.
class Image {
public:
  uint64_t append(const void *data, size_t size, uint64_t alignment) {
    uint64_t offset = alignTo(bytes.size(), alignment);
    bytes.resize(offset + size);
    if (size != 0)
      std::memcpy(bytes.data() + offset, data, size);
    return offset;
  }
  template <typename T> uint64_t append(const std::vector<T> &items, uint64_t alignment) {
    return append(items.data(), items.size() * sizeof(T), alignment);
  }
  std::vector<uint8_t> bytes;
};

class SharedObjectWriter {
public:
  explicit SharedObjectWriter(const llvm::object::ELF64LEObjectFile &object) : object(object) {}
  Result<std::vector<uint8_t>> write();

private:
  void collectSymbols();
  void place(bool executable);
  Status relocate();
  void appendNames();
  void finish(uint64_t textStart, uint64_t textEnd);

  const llvm::object::ELF64LEObjectFile &object;
  Image image;
  std::map<llvm::object::SectionRef, uint64_t> address; ///< of placed sections
  std::vector<Elf64_Sym> symbols{Elf64_Sym{}};
  std::vector<std::pair<size_t, llvm::object::SectionRef>> exported; ///< symbol, its section
  std::string names = std::string(1, '\0');
  uint64_t symbolTable = 0, stringTable = 0, hashTable = 0;
};
} // namespace

static Status unlinkable(const std::string &why) {
  return Status::make(Code::compileFailed, "generated code cannot be linked: {}", why);
}

void SharedObjectWriter::collectSymbols() {
  for (const llvm::object::ELFSymbolRef &symbol : object.symbols()) {
    if (symbol.getELFType() != STT_FUNC || symbol.getBinding() != STB_GLOBAL)
      continue;
    auto section = llvm::cantFail(symbol.getSection());
    if (section == object.section_end())
      continue;
    Elf64_Sym entry{};
    entry.st_name = static_cast<Elf64_Word>(names.size());
    entry.setBindingAndType(STB_GLOBAL, STT_FUNC);
    entry.st_shndx = 1; // any defined index: the loader looks only for SHN_UNDEF
    entry.st_value = llvm::cantFail(symbol.getValue());
    entry.st_size = symbol.getSize();
    names += llvm::cantFail(symbol.getName()).str() + '\0';
    exported.emplace_back(symbols.size(), *section);
    symbols.push_back(entry);
  }
}

// Allocated sections of one kind, in the object's order.
void SharedObjectWriter::place(bool executable) {
  for (const llvm::object::ELFSectionRef section : object.sections()) {
    if (!(section.getFlags() & SHF_ALLOC) || ((section.getFlags() & SHF_EXECINSTR) != 0) != executable ||
        section.getSize() == 0)
      continue;
    llvm::StringRef data = llvm::cantFail(section.getContents());
    address[section] = image.append(data.data(), data.size(), std::max<uint64_t>(section.getAlignment().value(), 16));
  }
}

Status SharedObjectWriter::relocate() {
  for (const llvm::object::SectionRef &holder : object.sections()) {
    auto target = llvm::cantFail(holder.getRelocatedSection());
    if (target == object.section_end() || !address.contains(*target))
      continue;
    for (const llvm::object::ELFRelocationRef relocation : holder.relocations()) {
      auto symbol = relocation.getSymbol();
      if (relocation.getType() != R_X86_64_PC32 && relocation.getType() != R_X86_64_PLT32)
        return unlinkable("relocation " + std::to_string(relocation.getType()) + " is not PC-relative");
      auto section = symbol == object.symbol_end() ? object.section_end() : llvm::cantFail(symbol->getSection());
      if (section == object.section_end() || !address.contains(*section))
        return unlinkable("it needs the symbol '" +
                          (symbol == object.symbol_end() ? std::string() : llvm::cantFail(symbol->getName()).str()) +
                          "'");
      uint64_t at = address[*target] + relocation.getOffset();
      uint64_t value = address[*section] + llvm::cantFail(symbol->getValue()) +
                       static_cast<uint64_t>(llvm::cantFail(relocation.getAddend())) - at;
      llvm::support::endian::write32le(image.bytes.data() + at, static_cast<uint32_t>(value));
    }
  }
  return {};
}

// Symbol, string and hash table; one hash bucket, since there are a handful of kernels.
void SharedObjectWriter::appendNames() {
  symbolTable = image.append(symbols, 8);
  stringTable = image.append(names.data(), names.size(), 1);
  std::vector<uint32_t> hash{1, static_cast<uint32_t>(symbols.size()), symbols.size() > 1 ? 1u : 0u};
  for (size_t i = 0; i < symbols.size(); ++i)
    hash.push_back(i > 0 && i + 1 < symbols.size() ? static_cast<uint32_t>(i + 1) : 0);
  hashTable = image.append(hash, 8);
}

// Segments: headers, tables and constants read-only; text executable; the dynamic section writable, as glibc wants it.
void SharedObjectWriter::finish(uint64_t textStart, uint64_t textEnd) {
  std::vector<Elf64_Dyn> dynamic;
  auto entry = [&](int64_t tag, uint64_t value) {
    Elf64_Dyn item{};
    item.d_tag = tag;
    item.d_un.d_val = value;
    dynamic.push_back(item);
  };
  entry(DT_HASH, hashTable);
  entry(DT_SYMTAB, symbolTable);
  entry(DT_STRTAB, stringTable);
  entry(DT_STRSZ, names.size());
  entry(DT_SYMENT, sizeof(Elf64_Sym));
  entry(DT_NULL, 0);
  uint64_t dynamicStart = image.append(dynamic, pageSize), dynamicSize = dynamic.size() * sizeof(Elf64_Dyn);

  auto segment = [](uint32_t type, uint32_t flags, uint64_t start, uint64_t size) {
    Elf64_Phdr header{};
    header.p_type = type;
    header.p_flags = flags;
    header.p_offset = header.p_vaddr = header.p_paddr = start;
    header.p_filesz = header.p_memsz = size;
    header.p_align = type == PT_LOAD ? pageSize : 8;
    return header;
  };
  Elf64_Phdr headers[] = {
      segment(PT_LOAD, PF_R, 0, textStart), segment(PT_LOAD, PF_R | PF_X, textStart, textEnd - textStart),
      segment(PT_LOAD, PF_R | PF_W, dynamicStart, dynamicSize),
      segment(PT_DYNAMIC, PF_R | PF_W, dynamicStart, dynamicSize), segment(PT_GNU_STACK, PF_R | PF_W, 0, 0)};
  Elf64_Ehdr file{};
  std::memcpy(file.e_ident, ElfMagic, 4);
  file.e_ident[EI_CLASS] = ELFCLASS64;
  file.e_ident[EI_DATA] = ELFDATA2LSB;
  file.e_ident[EI_VERSION] = EV_CURRENT;
  file.e_type = ET_DYN;
  file.e_machine = EM_X86_64;
  file.e_version = EV_CURRENT;
  file.e_phoff = sizeof file;
  file.e_ehsize = sizeof file;
  file.e_phentsize = sizeof headers[0];
  file.e_phnum = std::size(headers);
  std::memcpy(image.bytes.data(), &file, sizeof file);
  std::memcpy(image.bytes.data() + sizeof file, headers, sizeof headers);
}

Result<std::vector<uint8_t>> SharedObjectWriter::write() {
  image.bytes.resize(sizeof(Elf64_Ehdr) + 5 * sizeof(Elf64_Phdr));
  collectSymbols();
  place(/*executable=*/false);
  appendNames();
  uint64_t textStart = alignTo(image.bytes.size(), pageSize);
  image.bytes.resize(textStart);
  place(/*executable=*/true);
  uint64_t textEnd = image.bytes.size();
  TERCET_RETURN_IF_ERROR(relocate());
  for (auto [index, section] : exported)
    symbols[index].st_value += address[section];
  std::memcpy(image.bytes.data() + symbolTable, symbols.data(), symbols.size() * sizeof(Elf64_Sym));
  finish(textStart, textEnd);
  return std::move(image.bytes);
}

Result<std::vector<uint8_t>> codegen::linkSharedObject(const std::vector<uint8_t> &object) {
  llvm::StringRef bytes(reinterpret_cast<const char *>(object.data()), object.size());
  auto parsed = llvm::object::ELF64LEObjectFile::create(llvm::MemoryBufferRef(bytes, "code"));
  if (!parsed) {
    llvm::consumeError(parsed.takeError());
    return unlinkable("the code generator wrote no ELF object");
  }
  return SharedObjectWriter(*parsed).write();
}
