// Call: a tercet_call as the runtime takes it.
#pragma once

#include "Handles.h"
#include "tercet/Status.h"

namespace tercet::c {

/// What a call is made for decides what of it counts.
enum class CallUse {
  shapes, ///< data may be NULL, memory may lie anywhere
  launch,
};

/// The call's options, checked, and its tensors and parameters over the kernel's defaults.
Result<Arguments> argumentsFrom(const tercet_kernel &kernel, const tercet_call &call, CallUse use);

} // namespace tercet::c
