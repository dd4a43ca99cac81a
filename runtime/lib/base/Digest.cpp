// XXH3-128 through the xxhash library, compiled in, so that no shared library is needed at run time.
#include "tercet/Digest.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <fmt/format.h>

namespace tercet {
namespace {

Digest fromXxh(XXH128_hash_t hash) { return {hash.low64, hash.high64}; }

bool parseWord(std::string_view text, uint64_t &word) {
  word = 0;
  for (char c : text) {
    int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0)
      return false;
    word = word << 4 | static_cast<uint64_t>(digit);
  }
  return true;
}

} // namespace

std::string Digest::hex() const { return fmt::format("{:016x}{:016x}", high, low); }

bool Digest::parseHex(std::string_view text, Digest &digest) {
  return text.size() == 32 && parseWord(text.substr(0, 16), digest.high) && parseWord(text.substr(16), digest.low);
}

Digest digestOf(std::span<const uint8_t> bytes) { return fromXxh(XXH3_128bits(bytes.data(), bytes.size())); }

Digest digestOf(std::string_view text) { return fromXxh(XXH3_128bits(text.data(), text.size())); }

Digest digestOfFields(std::span<const std::string> fields) {
  std::string joined;
  for (const std::string &field : fields) {
    uint64_t length = field.size();
    for (int byte = 0; byte < 8; ++byte)
      joined.push_back(static_cast<char>(length >> (8 * byte)));
    joined += field;
  }
  return digestOf(joined);
}

} // namespace tercet
