// The .npy format (NumPy Enhancement Proposal 1): magic, version, header length, a Python dictionary literal with
// exactly the keys descr, fortran_order and shape, then the elements. The literal is read by a parser for just this
// grammar.
#include "FileFormats.h"

#include "tercet/Spelling.h"

#include <charconv>
#include <cstring>

namespace tercet::compiler {
namespace {

constexpr std::string_view magic("\x93NUMPY", 6);
constexpr size_t headerLimit = 64 * 1024; // NumPy's own default limit is 10,000 characters
constexpr size_t rankLimit = 64;          // NumPy 2; more is no array NumPy wrote

Status malformed(std::string_view why) {
  return Status::make(Code::invalidArgument, "the .npy header is malformed: {}", why);
}

/// Reads the dictionary literal left to right; every method returns false and leaves `error` on a mismatch.
class HeaderReader {
public:
  explicit HeaderReader(std::string_view text) : rest(text) {}

  bool read() {
    if (!expect('{'))
      return false;
    while (!accept('}')) {
      std::string key;
      if (!quoted(key) || !expect(':') || !readValue(key))
        return false;
      if (!accept(',')) {
        if (!expect('}'))
          return false;
        break;
      }
    }
    skipSpace();
    if (!rest.empty())
      return fail("text follows the dictionary");
    if (!hasDescr || !hasOrder || !hasShape)
      return fail("it must have the keys descr, fortran_order and shape");
    return true;
  }

  std::string descr, error;
  bool fortranOrder = false;
  std::vector<int64_t> shape;

private:
  bool readValue(const std::string &key) {
    if (key == "descr" && !hasDescr)
      return hasDescr = true, readDescr();
    if (key == "fortran_order" && !hasOrder)
      return hasOrder = true, readOrder();
    if (key == "shape" && !hasShape)
      return hasShape = true, readShape();
    return fail(fmt::format("key '{}' is unknown or occurs twice", excerpt(key, 40)));
  }
  bool readDescr() {
    skipSpace();
    if (rest.starts_with("["))
      return fail("structured element types are not read; save a plain array");
    return quoted(descr);
  }
  bool readOrder() {
    skipSpace();
    for (bool value : {true, false})
      if (std::string_view word = value ? "True" : "False"; rest.starts_with(word)) {
        rest.remove_prefix(word.size());
        fortranOrder = value;
        return true;
      }
    return fail("fortran_order must be True or False");
  }
  bool readShape() {
    if (!expect('('))
      return false;
    while (!accept(')')) {
      skipSpace();
      int64_t size = 0;
      auto [end, code] = std::from_chars(rest.data(), rest.data() + rest.size(), size);
      if (code != std::errc())
        return fail("a size in shape is no whole number of 64 bits");
      if (size < 0)
        return fail(fmt::format("shape has the negative size {}", size));
      rest.remove_prefix(static_cast<size_t>(end - rest.data()));
      if (rest.starts_with("L")) // written by Python 2
        rest.remove_prefix(1);
      shape.push_back(size);
      if (shape.size() > rankLimit)
        return fail("shape has more than 64 sizes");
      if (!accept(','))
        return expect(')');
    }
    return true;
  }
  bool quoted(std::string &value) {
    skipSpace();
    if (rest.empty() || (rest[0] != '\'' && rest[0] != '"'))
      return fail("a quoted word was expected");
    size_t end = rest.find(rest[0], 1);
    if (end == std::string_view::npos)
      return fail("a quote is never closed");
    value = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    return true;
  }
  void skipSpace() {
    while (!rest.empty() && (rest[0] == ' ' || rest[0] == '\n' || rest[0] == '\t' || rest[0] == '\r'))
      rest.remove_prefix(1);
  }
  bool accept(char symbol) {
    skipSpace();
    if (rest.empty() || rest[0] != symbol)
      return false;
    rest.remove_prefix(1);
    return true;
  }
  bool expect(char symbol) { return accept(symbol) || fail(fmt::format("'{}' was expected", symbol)); }
  bool fail(std::string why) {
    error = std::move(why);
    return false;
  }

  std::string_view rest;
  bool hasDescr = false, hasOrder = false, hasShape = false;
};

/// '<f4' and its like. '=' is the byte order of the machine that wrote the file, which the file does not name.
Result<DType> parseDescr(std::string_view descr) {
  struct Known {
    std::string_view text;
    DType dtype;
  };
  constexpr Known known[] = {{"<f4", DType::f32}, {"<f2", DType::f16}, {"<f8", DType::f64},
                             {"<i4", DType::i32}, {"|i1", DType::i8},  {"<i1", DType::i8}};
  for (const Known &entry : known)
    if (descr == entry.text)
      return entry.dtype;
  if (descr.starts_with(">"))
    return Status::make(Code::invalidArgument,
                        "element type '{}' is big-endian; only little-endian arrays are read: save it with "
                        ".astype(a.dtype.newbyteorder('<'))",
                        excerpt(descr, 16));
  if (descr == "|V2" || descr == "<V2" || descr.starts_with("bf"))
    return Status::make(Code::invalidArgument,
                        "element type '{}' does not say that it is bf16; .npy has no bf16: use "
                        ".safetensors",
                        excerpt(descr, 16));
  return Status::make(Code::invalidArgument,
                      "element type '{}' is not read; legal are f2, f4, f8, i1 and i4 (little-endian)",
                      excerpt(descr, 16));
}

std::string_view descrOf(DType dtype) {
  switch (dtype) {
  case DType::f32:
    return "<f4";
  case DType::f16:
    return "<f2";
  case DType::f64:
    return "<f8";
  case DType::i32:
    return "<i4";
  case DType::i8:
    return "|i1";
  case DType::bf16:
    break;
  }
  TERCET_CHECK(false, "bf16 has no .npy form; callers refuse it first");
}

} // namespace

Result<TensorLocation> parseNpy(std::span<const uint8_t> file) {
  std::string_view text(reinterpret_cast<const char *>(file.data()), file.size());
  if (!text.starts_with(magic))
    return Status::make(Code::invalidArgument, "it does not start with the .npy magic");
  if (text.size() < magic.size() + 2)
    return malformed("the file ends inside it");
  int major = file[6], minor = file[7];
  if (major < 1 || major > 3 || minor != 0)
    return Status::make(Code::invalidArgument, ".npy version {}.{} is not read; legal are 1.0, 2.0 and 3.0", major,
                        minor);
  size_t lengthBytes = major == 1 ? 2 : 4, start = magic.size() + 2 + lengthBytes;
  if (text.size() < start)
    return malformed("the file ends inside it");
  size_t length = 0;
  for (size_t i = 0; i < lengthBytes; ++i)
    length |= static_cast<size_t>(file[magic.size() + 2 + i]) << (8 * i);
  if (length > headerLimit)
    return malformed(fmt::format("it claims {} bytes; at most {} are read", length, headerLimit));
  if (length > text.size() - start)
    return malformed(fmt::format("it claims {} bytes, the file has {} more", length, text.size() - start));

  HeaderReader reader(text.substr(start, length));
  if (!reader.read())
    return malformed(reader.error);
  TensorLocation location;
  TERCET_TRY(location.dtype, parseDescr(reader.descr));
  TERCET_RETURN_IF_ERROR(checkUsable(reader.shape));
  location.shape = reader.shape;
  location.fortranOrder = reader.fortranOrder;
  location.offset = start + length;
  std::optional<int64_t> bytes = byteCount(reader.shape, dtypeSize(location.dtype));
  size_t present = text.size() - location.offset;
  if (!bytes)
    return Status::make(Code::invalidArgument, "shape {} is larger than any memory", shapeText(reader.shape));
  if (static_cast<size_t>(*bytes) != present)
    return Status::make(Code::invalidArgument, "shape {} of {} needs {} bytes, the file holds {}",
                        shapeText(reader.shape), dtypeName(location.dtype), *bytes, present);
  location.bytes = present;
  return location;
}

std::vector<uint8_t> formatNpy(const Tensor &tensor) {
  std::string shape = "(";
  for (int axis = 0; axis < tensor.rank; ++axis)
    shape += fmt::format("{}{}", axis ? ", " : "", tensor.shape[axis]);
  shape += tensor.rank == 1 ? ",)" : ")";
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", descrOf(tensor.dtype), shape);
  constexpr size_t prefix = 10;
  header.append((64 - (prefix + header.size() + 1) % 64) % 64, ' ');
  header += '\n';

  std::vector<uint8_t> bytes;
  bytes.reserve(prefix + header.size() + static_cast<size_t>(tensor.elements()) * dtypeSize(tensor.dtype));
  bytes.insert(bytes.end(), magic.begin(), magic.end());
  bytes.insert(bytes.end(),
               {1, 0, static_cast<uint8_t>(header.size() & 255), static_cast<uint8_t>(header.size() >> 8)});
  bytes.insert(bytes.end(), header.begin(), header.end());
  appendElements(tensor, bytes);
  return bytes;
}

} // namespace tercet::compiler
