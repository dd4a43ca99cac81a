// Bulk copies out of shared memory: every thread gathers them into groups and waits for groups.
//
// A copy reads shared memory first (what wait_group.read waits for) and writes its target later (wait_group). Its bytes
// of shared memory count as being read until the thread has waited, in every mode.
#pragma once

#include "core/Cta.h"

#include <cstdint>
#include <functional>

namespace tercet::sim {

/// By the decode functions of bulk copies: what must run when a CTA of the kernel starts and ends.
void prepareForBulkCopies(Kernel &kernel);

/// Starts a copy from [offset, offset + bytes) of the site's CTA. `read` takes the bytes out of shared memory, `write` puts
/// them where they go; each is run once, when the launch's Landing says so.
void startGroupedCopy(const Site &site, uint64_t offset, uint64_t bytes, std::function<void()> read,
                      std::function<void()> write);

/// What the asynchronous proxy may read: written, fenced, ordered before the site. Fails the site else.
void checkAsyncSource(const Site &site, Cta &cta, uint64_t offset, uint64_t bytes);
/// What it may write from now on: not in flight, read by nobody, no mbarrier.
void checkAsyncTarget(const Site &site, Cta &cta, uint64_t offset, uint64_t bytes);

/// Bytes have been written into shared memory by a copy; `barrier` counts them.
void landInShared(const Site &site, Cta &cta, uint64_t barrier, uint64_t offset, uint64_t bytes);

/// The mbarrier that a copy completes must be there and visible to the asynchronous proxy.
void checkCopyBarrier(const Site &site, Cta &cta, uint64_t barrier);

} // namespace tercet::sim
