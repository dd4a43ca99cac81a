#include "RaggedCases.h"

namespace tercet::test {

void addRagged(std::vector<Case> &cases, Case entry, const std::string &what) {
  entry.name += " and lengths";
  entry.shape = raggedShape;
  entry.queryLengths = {150, 81};
  entry.keyLengths = {33, 170};
  entry.poison = true;
  cases.push_back(entry);
  entry.name += " in padded bf16";
  entry.layout = Layout::padded;
  entry.dtype = DType::bf16;
  cases.push_back(entry);
  entry.name = what + " without keys";
  entry.queryLengths = {0, 150};
  entry.keyLengths = {170, 0};
  entry.dtype = DType::f16;
  entry.layout = Layout::tokensFirst;
  cases.push_back(entry);
}

} // namespace tercet::test
