// Resolution of the cache directory. Creates nothing.
#include "tercet/CacheDirectory.h"

#include "tercet/Environment.h"

#include <cstdlib>

namespace tercet {

std::filesystem::path resolveCacheDirectory(const std::string &cacheDir, const char *xdgCacheHome, const char *home) {
  if (!cacheDir.empty())
    return cacheDir;
  if (xdgCacheHome && xdgCacheHome[0] == '/')
    return std::filesystem::path(xdgCacheHome) / "tercet";
  if (home && home[0] == '/')
    return std::filesystem::path(home) / ".cache" / "tercet";
  return {};
}

std::filesystem::path defaultCacheDirectory() {
  return resolveCacheDirectory(environment().cacheDir, std::getenv("XDG_CACHE_HOME"), std::getenv("HOME"));
}

} // namespace tercet
