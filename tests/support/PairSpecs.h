// PairSpecs: well-known masks and score regions as specs of dense attention.
#pragma once

#include "SpecSource.h"

namespace tercet::test {

/// %allowed of the pair (%b, %h, %i, %j); arguments and parameters of the spec as in its text.
Spec maskedSpec(const std::string &body, const std::string &arguments = "", const std::string &parameters = "");
/// %y of the pair and its score %s.
Spec scoredSpec(const std::string &body, const std::string &arguments = "", const std::string &parameters = "");

Spec causalBeginnings(), causalEnds();
Spec causalWindow(); ///< parameter window = 6
Spec documents();    ///< table segment [batch, key], read at query and key
Spec alibi();        ///< table slopes [head]
Spec softcap();      ///< at 2
Spec relativeBias(); ///< table bias [head, 17], of distances from -8 to 8
Spec gatedPairs();   ///< tables gate [batch, kv_head, key] as factor, query_bias [batch, head, query]
Spec everyThirdKey();

} // namespace tercet::test
