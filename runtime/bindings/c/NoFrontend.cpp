// The library without the compiler.
#include "Frontend.h"

const tercet::c::Frontend *tercet::c::frontend() { return nullptr; }
