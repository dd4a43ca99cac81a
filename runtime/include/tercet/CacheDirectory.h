// CacheDirectory: where compiled artifacts are kept.
#pragma once

#include <filesystem>
#include <string>

namespace tercet {

/// TERCET_CACHE_DIR, else $XDG_CACHE_HOME/tercet, else ~/.cache/tercet; empty when none of them is known. The arguments
/// are the values of TERCET_CACHE_DIR, XDG_CACHE_HOME and HOME; a relative XDG_CACHE_HOME is ignored, as its standard
/// asks.
std::filesystem::path resolveCacheDirectory(const std::string &cacheDir, const char *xdgCacheHome, const char *home);
/// The same from this process's environment.
std::filesystem::path defaultCacheDirectory();

} // namespace tercet
