// Executor: runs a program's nodes in order over groups and slices, each node's items in parallel.
#pragma once

#include "Frame.h"

#include "tercet/rt/Workers.h"

namespace tercet::rt {

/// Runs everything. frame: its symbols change while groups advance. workspace: at least frame.workspaceBytes, aligned.
/// report may be null; its stages come in the program's order.
Status execute(const Program &program, Frame &frame, const Workers &workers, char *workspace, LaunchReport *report);

} // namespace tercet::rt
