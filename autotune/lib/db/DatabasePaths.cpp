// Where the files of the tuning database are. Creates nothing.
#include "tercet/autotune/Database.h"

#include "tercet/Environment.h"

#include <cstdlib>

namespace tercet::tune {

std::filesystem::path resolveUserDatabase(const std::string &database, const char *xdgDataHome, const char *home) {
  constexpr const char *below = "tercet/tuning.jsonl";
  if (!database.empty())
    return database;
  if (xdgDataHome && xdgDataHome[0] == '/')
    return std::filesystem::path(xdgDataHome) / below;
  if (home && home[0] == '/')
    return std::filesystem::path(home) / ".local/share" / below;
  return {};
}

std::filesystem::path userDatabase() {
  return resolveUserDatabase(environment().database, std::getenv("XDG_DATA_HOME"), std::getenv("HOME"));
}

std::filesystem::path systemDatabase() { return "/etc/tercet/tuning.jsonl"; }

std::vector<Source> defaultSources(const std::filesystem::path &user) {
  return {
      {Origin::user, user.empty() ? userDatabase() : user}, {Origin::system, systemDatabase()}, {Origin::shipped, {}}};
}

} // namespace tercet::tune
