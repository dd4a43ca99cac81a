// Case: one entry of the shared numerics table, and the inputs it stands for. Every backend runs every case.
#pragma once

#include "tercet/Session.h"
#include "tercet/dialect/reference/Contract.h"
#include "tercet/dialect/reference/Data.h"

#include <map>
#include <string>
#include <vector>

namespace tercet::test {

/// Classes handed in, or none: the spec selects.
enum class Given { none, random, broadcast, allCritical, allMarginal, allNegligible };
/// What becomes of the spec's w and b. large: entries 16 times as large; weightOnly, biasOnly: the other one is absent.
enum class Weights { present, absent, large, weightOnly, biasOnly };
/// How tensors lie in memory. padded: NaN between rows, heads and batches; tokensFirst: [batch, tokens, heads,
/// features].
enum class Layout { dense, padded, tokensFirst };
/// negative: no feature of q and k is above 0, so relu features are all 0. ties: key blocks in pairs of equal scores
/// that are exact in fp32. repeated: all tokens of a key block are equal.
enum class Content { normal, clustered, negative, ties, repeated };

struct Case {
  std::string name, spec;
  std::map<std::string, std::string> settings;            ///< static parameters
  std::vector<std::pair<std::string, double>> parameters; ///< runtime parameters
  reference::Shape shape;
  DType dtype = DType::f32;
  double scale = 1;                              ///< of q and k
  std::vector<int32_t> queryLengths, keyLengths; ///< empty: none
  Given given = Given::none;
  Weights weights = Weights::present;
  Layout layout = Layout::dense;
  Content content = Content::normal;
  bool poison = false; ///< NaN and infinities in the tokens beyond the lengths
  uint64_t seed = 1;

  std::string describe() const;
};

/// The table.
const std::vector<Case> &caseTable();

/// A case ready to run: its program, inputs, and unwritten outputs in the case's layout.
struct PreparedCase {
  Spec spec;
  reference::Program program;
  Problem problem; ///< the backend sets the target
  reference::Data inputs, outputs;
  Arguments arguments; ///< views of the inputs, and the runtime parameters
};
PreparedCase prepare(const Case &entry);

/// The options that the contract needs to know about a case.
reference::CheckOptions checkOptions(const Case &entry);

/// Empty where the outputs of a run keep the contract; else what is wrong with them. probabilities: what they are rounded to
/// before they meet the values.
std::string findFault(const PreparedCase &prepared, const Case &entry, DType probabilities = DType::f32);

} // namespace tercet::test
