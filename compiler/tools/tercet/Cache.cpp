// tercet cache path|list|verify|prune|clear: the disk cache of compiled artifacts.
#include "Command.h"

#include "tercet/CacheDirectory.h"
#include "tercet/DiskCache.h"

namespace tercet::cli {
namespace {

const std::vector<std::string> actions = {"path", "list", "verify", "prune", "clear"};

/// Whole hours since the entry was used.
int64_t hoursSince(const CacheEntry &entry) {
  auto age = std::filesystem::file_time_type::clock::now() - entry.lastUse;
  return std::max<int64_t>(0, std::chrono::duration_cast<std::chrono::hours>(age).count());
}

Json entryJson(const CacheEntry &entry) {
  return {{"key", entry.key.hex()},
          {"path", entry.path.string()},
          {"bytes", entry.bytes},
          {"unused_hours", hoursSince(entry)}};
}

std::string entryText(const CacheEntry &entry, const std::string &rest) {
  return fmt::format("{}  {:>9} bytes  unused for {:>4} h  {}\n", entry.key.hex(), entry.bytes, hoursSince(entry),
                     rest);
}

class CacheCommand final : public Command {
public:
  std::string name() const override { return "cache"; }
  std::string summary() const override { return "show, verify, prune or clear the cache of compiled artifacts"; }
  void declare(Options &options) override {
    options.choice("ACTION", action, actions, "what to do");
    options.json(json);
  }

  Result<ExitCode> run() override {
    if (action.empty())
      return Status::make(Code::invalidArgument, "what to do with the cache is missing; legal are path, list, verify, "
                                                 "prune, clear");
    std::filesystem::path root = defaultCacheDirectory();
    if (root.empty())
      return Status::make(Code::cacheUnusable,
                          "there is no cache: TERCET_CACHE_DIR, XDG_CACHE_HOME and HOME are not set");
    DiskCache cache(root);
    Json object = {{"command", "cache"}, {"action", action}, {"path", root.string()}};
    std::string text;
    bool passed = true;
    if (action == "path") {
      text = root.string() + "\n";
    } else if (action == "list") {
      uint64_t bytes = 0;
      object["entries"] = Json::array();
      for (const CacheEntry &entry : cache.list()) {
        bytes += entry.bytes;
        object["entries"].push_back(entryJson(entry));
        text += entryText(entry, describe(cache.peek(entry.key)));
      }
      object["bytes"] = bytes;
      text += fmt::format("{} entries, {} bytes in {}\n", object["entries"].size(), bytes, root.string());
    } else if (action == "verify") {
      object["unusable"] = Json::array();
      for (const auto &[entry, reason] : cache.verify()) {
        object["unusable"].push_back(entryJson(entry));
        object["unusable"].back()["reason"] = reason;
        text += entryText(entry, reason);
      }
      passed = object["unusable"].empty();
      object["passed"] = passed;
      text += passed ? "every entry is usable\n" : "unusable entries are replaced at the next compilation\n";
    } else {
      size_t removed = action == "prune" ? cache.prune() : cache.clear();
      object["removed"] = removed;
      text = fmt::format("removed {} entries from {}\n", removed, root.string());
    }
    TERCET_RETURN_IF_ERROR(json ? printJson(object) : printText(text));
    return passed ? exitOk : exitInput;
  }

private:
  /// Spec, dtype, sizes and target of an entry that can be read.
  static std::string describe(const std::optional<Artifact> &artifact) {
    if (!artifact)
      return "(unreadable)";
    return fmt::format("{} {} d={} dv={} {}", artifact->specName, dtypeName(artifact->dtype), artifact->headDim,
                       artifact->valueDim, artifact->modules.empty() ? "" : artifact->modules.front().target);
  }

  std::string action;
  bool json = false;
};

} // namespace

std::unique_ptr<Command> makeCacheCommand() { return std::make_unique<CacheCommand>(); }

} // namespace tercet::cli
