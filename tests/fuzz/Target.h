// Target: what a fuzz target defines, and what it may say about the answers that it gets.
#pragma once

#include "tercet/Spelling.h"
#include "tercet/Status.h"

#include <cstddef>
#include <cstdint>

/// Runs one input; any input is legal. Called by libFuzzer, or by ReplayMain.cpp. A broken promise aborts.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

namespace tercet::fuzz {

/// A refusal of input that is to blame: the right code and one sentence, which a terminal may show.
inline void checkRefusal(const Status &status, Code code) {
  constexpr size_t longest = 4096;
  TERCET_CHECK(status.code() == code, "the input is to blame");
  TERCET_CHECK(!status.message().empty() && status.message().size() <= longest, "a message is a sentence");
  TERCET_CHECK(!hasControlCharacter(status.message()), "a message is one line");
}

} // namespace tercet::fuzz
