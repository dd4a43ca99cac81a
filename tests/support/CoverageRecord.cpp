#include "CoverageRecord.h"

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>

namespace tercet::test {

void recordCoverage(const CoverageRecord &record) {
  const char *path = std::getenv("COVERAGE_RECORDS");
  if (!path)
    return;
  nlohmann::json line = {{"system", record.system},
                         {"spec", record.spec},
                         {"mode", record.mode},
                         {"target", record.target},
                         {"test", record.test}};
  std::ofstream(path, std::ios::app) << line.dump() << '\n';
}

} // namespace tercet::test
