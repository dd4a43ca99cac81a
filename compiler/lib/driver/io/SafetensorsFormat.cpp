// The .safetensors format: 8 bytes of header length, a JSON object from names to {dtype, shape, data_offsets}, then the
// bytes. As its own documentation asks, the offsets must tile the data without holes or overlaps; nesting and size of
// the header are bounded before JSON is parsed.
#include "FileFormats.h"

#include "tercet/Spelling.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace tercet::compiler {
namespace {

using nlohmann::json;

constexpr uint64_t headerLimit = 16 << 20; // over 100,000 tensors
constexpr int nestingLimit = 3;            // header { entry { shape [
constexpr size_t rankLimit = 64;

Status malformed(std::string_view why) {
  return Status::make(Code::invalidArgument, "the .safetensors header is malformed: {}", why);
}

/// Nesting depth of JSON text, without parsing it: a header of brackets alone must not become a tree in memory.
bool nestsTooDeep(std::string_view text) {
  int depth = 0;
  bool inString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char symbol = text[i];
    if (inString)
      symbol == '\\' ? void(++i) : symbol == '"' ? void(inString = false) : void();
    else if (symbol == '"')
      inString = true;
    else if (symbol == '{' || symbol == '[')
      ++depth;
    else if (symbol == '}' || symbol == ']')
      --depth;
    if (depth > nestingLimit)
      return true;
  }
  return false;
}

/// Element bits of every dtype that the format names; 0 for one that it does not.
int64_t elementBits(std::string_view dtype) {
  struct Known {
    std::string_view name;
    int64_t bits;
  };
  constexpr Known known[] = {{"F32", 32}, {"F16", 16}, {"BF16", 16},   {"F64", 64},    {"I8", 8},     {"I32", 32},
                             {"I64", 64}, {"I16", 16}, {"U8", 8},      {"U16", 16},    {"U32", 32},   {"U64", 64},
                             {"BOOL", 8}, {"C64", 64}, {"F8_E4M3", 8}, {"F8_E5M2", 8}, {"F8_E8M0", 8}};
  for (const Known &entry : known)
    if (dtype == entry.name)
      return entry.bits;
  return 0;
}

std::optional<DType> tercetDType(std::string_view name) {
  std::string lower(name);
  for (char &letter : lower)
    letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  DType dtype;
  return lower != name && parseDType(lower, dtype) ? std::optional(dtype) : std::nullopt;
}

struct Entry {
  std::string name, dtype;
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;
};

bool isSize(const json &value) { return value.is_number_unsigned() && value.get<uint64_t>() <= INT64_MAX; }

Result<Entry> parseEntry(const std::string &name, const json &value) {
  std::string shown = excerpt(name);
  auto field = [&](const char *key) { return value.is_object() && value.contains(key) ? &value[key] : nullptr; };
  const json *dtype = field("dtype"), *shape = field("shape"), *offsets = field("data_offsets");
  if (!dtype || !dtype->is_string() || !shape || !shape->is_array() || !offsets || !offsets->is_array())
    return malformed(fmt::format("tensor '{}' must have a dtype, a shape and data_offsets", shown));
  if (offsets->size() != 2 || !isSize((*offsets)[0]) || !isSize((*offsets)[1]) || (*offsets)[0] > (*offsets)[1])
    return malformed(fmt::format("data_offsets of tensor '{}' must be two ascending sizes", shown));
  if (shape->size() > rankLimit || !std::all_of(shape->begin(), shape->end(), isSize))
    return malformed(fmt::format("the shape of tensor '{}' must be at most {} sizes, none negative", shown, rankLimit));
  Entry entry{name, dtype->get<std::string>(), shape->get<std::vector<int64_t>>(), (*offsets)[0], (*offsets)[1]};
  if (int64_t bits = elementBits(entry.dtype)) {
    std::optional<int64_t> needed = byteCount(entry.shape, static_cast<size_t>(bits / 8));
    if (!needed || static_cast<uint64_t>(*needed) != entry.end - entry.begin)
      return malformed(fmt::format("tensor '{}' of shape {} and dtype {} does not fill its data_offsets [{}, {}]",
                                   shown, shapeText(entry.shape), entry.dtype, entry.begin, entry.end));
  }
  return entry;
}

Result<json> parseHeader(std::string_view text) {
  if (nestsTooDeep(text))
    return malformed(fmt::format("it nests deeper than {} levels", nestingLimit));
  std::set<std::string> names;
  std::string twice;
  auto watch = [&](int depth, json::parse_event_t event, json &value) {
    if (event == json::parse_event_t::key && depth == 1 && !names.insert(value.get<std::string>()).second)
      twice = value.get<std::string>();
    return true;
  };
  json header = json::parse(text.begin(), text.end(), watch, /*allow_exceptions=*/false);
  if (header.is_discarded() || !header.is_object())
    return malformed("it is no JSON object");
  if (!twice.empty())
    return malformed(fmt::format("tensor '{}' occurs twice", excerpt(twice)));
  return header;
}

std::string listed(const std::vector<Entry> &entries) {
  std::string text;
  for (size_t i = 0; i < entries.size() && i < 8; ++i)
    text += fmt::format("{}{}", i ? ", " : "", excerpt(entries[i].name));
  return entries.size() > 8 ? text + ", .." : text;
}

Result<Entry> choose(const std::vector<Entry> &entries, const std::string &name) {
  if (entries.empty())
    return Status::make(Code::invalidArgument, "it holds no tensor");
  if (name.empty() && entries.size() == 1)
    return entries.front();
  if (name.empty())
    return Status::make(Code::invalidArgument, "it holds {} tensors; name one as FILE:TENSOR ({})", entries.size(),
                        listed(entries));
  for (const Entry &entry : entries)
    if (entry.name == name)
      return entry;
  return Status::make(Code::invalidArgument, "it holds no tensor '{}'; it has {}", excerpt(name), listed(entries));
}

} // namespace

Result<TensorLocation> parseSafetensors(std::span<const uint8_t> file, const std::string &name) {
  uint64_t length = 0;
  if (file.size() < 8)
    return malformed("the file ends inside its length");
  for (int i = 0; i < 8; ++i)
    length |= static_cast<uint64_t>(file[i]) << (8 * i);
  if (length > headerLimit)
    return malformed(fmt::format("it claims {} bytes; at most {} are read", length, headerLimit));
  if (length > file.size() - 8)
    return malformed(fmt::format("it claims {} bytes, the file has {} more", length, file.size() - 8));
  uint64_t dataBytes = file.size() - 8 - length;
  TERCET_TRY(json header, parseHeader({reinterpret_cast<const char *>(file.data()) + 8, length}));

  std::vector<Entry> entries;
  for (const auto &[key, value] : header.items())
    if (key != "__metadata__") {
      TERCET_TRY(Entry entry, parseEntry(key, value));
      entries.push_back(std::move(entry));
    }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry &a, const Entry &b) { return std::tie(a.begin, a.end) < std::tie(b.begin, b.end); });
  uint64_t position = 0;
  for (const Entry &entry : entries) {
    if (entry.begin != position)
      return malformed(fmt::format("tensor '{}' begins at byte {}, where {} was expected: tensors must neither overlap "
                                   "nor leave holes",
                                   excerpt(entry.name), entry.begin, position));
    position = entry.end;
  }
  if (position != dataBytes)
    return malformed(fmt::format("its tensors end at byte {} of {} in the file", position, dataBytes));

  TERCET_TRY(Entry chosen, choose(entries, name));
  std::optional<DType> dtype = tercetDType(chosen.dtype);
  if (!dtype)
    return Status::make(Code::invalidArgument, "tensor '{}' has dtype {}; legal are F32, F16, BF16, F64, I32 and I8",
                        excerpt(chosen.name), excerpt(chosen.dtype, 40));
  TERCET_RETURN_IF_ERROR(checkUsable(chosen.shape));
  return TensorLocation{*dtype, chosen.shape, false, static_cast<size_t>(8 + length + chosen.begin),
                        static_cast<size_t>(chosen.end - chosen.begin)};
}

} // namespace tercet::compiler
