// Parses --shape and bounds it by memory: synthetic tensors are made before anything else could refuse them.
#include "ShapeText.h"

#include "Options.h"

#include "tercet/Spelling.h"

#include <unistd.h>

namespace tercet::cli {
namespace {

struct Field {
  const char *name;
  int64_t reference::Shape::*member;
};
constexpr Field fields[] = {{"b", &reference::Shape::batch},    {"h", &reference::Shape::heads},
                            {"n", &reference::Shape::tokensQ},  {"m", &reference::Shape::tokensK},
                            {"d", &reference::Shape::headDim},  {"dv", &reference::Shape::valueDim},
                            {"hkv", &reference::Shape::headsKV}};
constexpr int64_t largestSize = (int64_t(1) << 31) - 1;
constexpr const char *notation = "b=1,h=12,n=32760,d=128[,m=..,hkv=..,dv=..]";

Status setField(reference::Shape &shape, std::string_view item, const std::string &text) {
  size_t equals = item.find('=');
  std::string name(item.substr(0, equals));
  std::vector<std::string> names;
  for (const Field &field : fields)
    names.push_back(field.name);
  for (const Field &field : fields) {
    if (name != field.name || equals == std::string_view::npos)
      continue;
    std::optional<int64_t> size = parseWholeNumber(item.substr(equals + 1), 1, largestSize);
    if (!size)
      return Status::make(Code::invalidArgument, "--shape gives '{}'; {} must be a whole number from 1 to {}", item,
                          name, largestSize);
    if (shape.*field.member != 0)
      return Status::make(Code::invalidArgument, "--shape gives '{}' twice: '{}'", name, text);
    shape.*field.member = *size;
    return {};
  }
  return Status::make(Code::invalidArgument, "--shape holds '{}', which is none of its sizes; it is written {}{}", item,
                      notation, suggestion(name, names));
}

/// q, k, v and o in f64 as an upper bound; the map of classes is far smaller.
bool fitsMemory(const reference::Shape &shape, double &neededBytes, double &memoryBytes) {
  auto product = [](std::initializer_list<int64_t> sizes) {
    double result = 1;
    for (int64_t size : sizes)
      result *= static_cast<double>(size);
    return result;
  };
  neededBytes = 4 * (product({shape.batch, shape.heads, shape.tokensQ, shape.headDim + shape.valueDim}) +
                     product({shape.batch, shape.headsKV, shape.tokensK, shape.headDim + shape.valueDim}));
  memoryBytes = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  return neededBytes <= memoryBytes;
}

} // namespace

Result<reference::Shape> parseShape(const std::string &text) {
  reference::Shape shape;
  shape.batch = shape.heads = 0; // 0: not given yet
  for (size_t begin = 0; begin <= text.size();) {
    size_t end = std::min(text.find(',', begin), text.size());
    TERCET_RETURN_IF_ERROR(setField(shape, std::string_view(text).substr(begin, end - begin), text));
    begin = end + 1;
  }
  if (shape.tokensQ == 0 || shape.headDim == 0)
    return Status::make(Code::invalidArgument, "--shape is '{}'; it must give {}: it is written {}", text,
                        shape.tokensQ == 0 ? "n (query tokens)" : "d (head dimension)", notation);
  shape.batch = std::max<int64_t>(shape.batch, 1);
  shape.heads = std::max<int64_t>(shape.heads, 1);
  shape = shape.resolved();
  if (shape.heads % shape.headsKV != 0)
    return Status::make(Code::invalidArgument, "--shape has h={} and hkv={}; h must be a multiple of hkv", shape.heads,
                        shape.headsKV);
  double needed = 0, memory = 0;
  if (!fitsMemory(shape, needed, memory))
    return Status::make(Code::invalidArgument, "--shape {} needs {:.1f} GiB of tensors; this machine has {:.1f} GiB",
                        text, needed / (1 << 30), memory / (1 << 30));
  return shape;
}

std::string shapeText(const reference::Shape &shape) {
  return fmt::format("b={},h={},n={},m={},d={},dv={},hkv={}", shape.batch, shape.heads, shape.tokensQ, shape.tokensK,
                     shape.headDim, shape.valueDim, shape.headsKV);
}

} // namespace tercet::cli
