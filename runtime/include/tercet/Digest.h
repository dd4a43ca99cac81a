// Digest: XXH3-128, the one hash of Tercet: specs, cache keys, artifact integrity. Not cryptographic: it finds damage
// and tells keys apart; it does not authenticate.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tercet {

struct Digest {
  uint64_t low = 0, high = 0;
  friend bool operator==(const Digest &, const Digest &) = default;
  friend auto operator<=>(const Digest &, const Digest &) = default;
  /// 32 lower-case hex digits, high word first.
  std::string hex() const;
  /// Reads what `hex` wrote; false on anything else.
  static bool parseHex(std::string_view text, Digest &digest);
};

Digest digestOf(std::span<const uint8_t> bytes);
Digest digestOf(std::string_view text);

/// The digest of a sequence of fields, each preceded by its length, so that ("ab", "c") and ("a", "bc") differ.
Digest digestOfFields(std::span<const std::string> fields);

} // namespace tercet
