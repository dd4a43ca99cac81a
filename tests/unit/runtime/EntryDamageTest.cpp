// Entries that are not what was stored: damage anywhere, other versions, other owners, links. None is used; each is one
// warning and heals.
#include "ArtifactFile.h"
#include "TempDir.h"
#include "Warnings.h"

#include "tercet/AtomicFile.h"
#include "tercet/DiskCache.h"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace tercet;
using namespace tercet::test;
namespace fs = std::filesystem;

namespace {

constexpr size_t entryHeaderSize = 24, entryDigestSize = 16;

/// A cache with one entry, whose bytes a test replaces.
struct OneEntry {
  TempDir dir;
  DiskCache cache{dir.path() / "root"};
  Digest key = digestOf(std::string_view("a"));
  fs::path path;
  std::vector<uint8_t> bytes;

  OneEntry() {
    REQUIRE(cache.store(key, samplePlanArtifact()).ok());
    path = cache.directory() / (key.hex() + ".entry");
    bytes = *readWholeFile(path, 1 << 20);
  }
  void put(std::span<const uint8_t> content) const {
    int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    REQUIRE(file >= 0);
    REQUIRE(writeFully(file, content));
    ::close(file);
  }
  /// Whether the entry is a miss, twice, with one warning, and gone.
  bool isRefusedOnce() const {
    Warnings warnings;
    bool missed = !cache.lookup(key) && !cache.lookup(key);
    struct stat info;
    return missed && warnings.lines.size() == 1 && ::lstat(path.c_str(), &info) != 0;
  }
  void heals() const {
    Warnings warnings;
    CHECK(cache.store(key, samplePlanArtifact()).ok());
    CHECK(cache.lookup(key));
    CHECK(warnings.lines.empty());
  }
};

/// An entry of `artifact`'s bytes under `key`, with the right digest at its end.
std::vector<uint8_t> entryOf(std::vector<uint8_t> head, std::span<const uint8_t> artifact) {
  head.resize(entryHeaderSize);
  head.insert(head.end(), artifact.begin(), artifact.end());
  head.resize(head.size() + entryDigestSize);
  sign(head);
  return head;
}

} // namespace

TEST_CASE("a bit that flips anywhere in an entry is a miss", "[cache][damage]") {
  OneEntry one;
  for (size_t at = 0; at < one.bytes.size(); ++at) {
    std::vector<uint8_t> damaged = one.bytes;
    damaged[at] ^= static_cast<uint8_t>(1 << at % 8);
    one.put(damaged);
    if (!one.isRefusedOnce())
      FAIL("byte " << at << " of " << one.bytes.size());
  }
  one.heals();
}

TEST_CASE("an entry of any other length is a miss", "[cache][damage]") {
  OneEntry one;
  for (size_t size = 0; size < one.bytes.size(); size += size < 64 ? 1 : 13) {
    one.put(std::span(one.bytes).first(size));
    if (!one.isRefusedOnce())
      FAIL("cut to " << size << " of " << one.bytes.size());
  }
  std::vector<uint8_t> longer = one.bytes;
  longer.push_back(0);
  one.put(longer);
  CHECK(one.isRefusedOnce());
  one.heals();
}

TEST_CASE("an entry of another version is a miss, whatever its digest says", "[cache][damage]") {
  OneEntry one;
  std::vector<uint8_t> artifact = samplePlanArtifact().serialize();
  one.put(entryOf(one.bytes, artifact));
  CHECK(one.cache.lookup(one.key)); // so that what follows is about the version
  SECTION("of the artifact") {
    artifact[8] += 1;
    sign(artifact);
    one.put(entryOf(one.bytes, artifact));
  }
  SECTION("of the entry") {
    std::vector<uint8_t> head = one.bytes;
    head[7] = 'F';
    one.put(entryOf(head, artifact));
  }
  SECTION("an earlier one") { one.put(entryOf(one.bytes, *readWholeFile("tests/golden/artifact-1.tercet", 1 << 20))); }
  CHECK(one.isRefusedOnce());
  one.heals();
}

TEST_CASE("an entry that is a link is a miss, and what it points to stays", "[cache][damage]") {
  OneEntry one;
  fs::path elsewhere = one.dir.path() / "elsewhere";
  fs::rename(one.path, elsewhere);
  fs::create_symlink(elsewhere, one.path);
  CHECK(one.isRefusedOnce());
  one.heals();
  CHECK(*readWholeFile(elsewhere, 1 << 20) == one.bytes);
  CHECK(fs::symlink_status(one.path).type() == fs::file_type::regular);
}

TEST_CASE("an entry that is a pipe or a device is a miss, and nobody waits for it", "[cache][damage]") {
  OneEntry one;
  fs::remove(one.path);
  REQUIRE(::mkfifo(one.path.c_str(), 0600) == 0);
  CHECK(one.isRefusedOnce());
  one.heals();
}

TEST_CASE("a directory in an entry's place is a miss, and a store that did not happen", "[cache][damage]") {
  OneEntry one;
  fs::remove(one.path);
  fs::create_directories(one.path / "in the way");
  Warnings warnings;
  CHECK_FALSE(one.cache.lookup(one.key));
  CHECK(one.cache.store(one.key, samplePlanArtifact()).code() == Code::cacheUnusable);
  CHECK(warnings.lines.empty()); // the store's status is what a session tells
}

TEST_CASE("directories that are links or belong to others are not used", "[cache][damage]") {
  OneEntry one;
  fs::path entries = one.cache.directory();
  SECTION("a link") {
    fs::rename(entries, one.dir.path() / "elsewhere");
    fs::create_directory_symlink(one.dir.path() / "elsewhere", entries);
  }
  SECTION("another owner") {
    if (::geteuid() != 0) {
      WARN("not run: only root gives files away");
      return;
    }
    REQUIRE(::chown(entries.c_str(), 65534, 65534) == 0);
  }
  CHECK_FALSE(one.cache.lookup(one.key));
  CHECK_FALSE(one.cache.peek(one.key));
  CHECK(one.cache.lock(one.key) == nullptr);
  CHECK(one.cache.store(one.key, samplePlanArtifact()).code() == Code::cacheUnusable);
}

TEST_CASE("an entry of another user is a miss", "[cache][damage]") {
  OneEntry one;
  if (::geteuid() != 0) {
    WARN("not run: only root gives files away");
    return;
  }
  REQUIRE(::chown(one.path.c_str(), 65534, 65534) == 0);
  CHECK(one.isRefusedOnce());
  one.heals();
}

TEST_CASE("links in the place of the lock or of what lies beside an entry are not followed", "[cache][damage]") {
  OneEntry one;
  fs::path victim = one.dir.path() / "victim";
  one.put(one.bytes);
  std::ofstream(victim) << "untouched";
  fs::remove(one.cache.directory() / "lock");
  fs::create_symlink(victim, one.cache.directory() / "lock");
  CHECK(one.cache.lock(one.key) == nullptr);
  fs::path log = fs::path(one.path).replace_extension(".log");
  fs::remove(log);
  fs::create_symlink(victim, log);
  CHECK(one.cache.store(one.key, samplePlanArtifact()).ok());
  std::ifstream file(victim);
  CHECK(std::string{std::istreambuf_iterator<char>(file), {}} == "untouched");
}
