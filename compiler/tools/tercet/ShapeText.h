// ShapeText: the value of --shape, "b=1,h=12,n=32760,d=128[,m=..,hkv=..,dv=..]".
#pragma once

#include "tercet/Status.h"
#include "tercet/dialect/reference/Data.h"

#include <string>

namespace tercet::cli {

/// All sizes filled in: b, h default to 1, m to n, hkv to h, dv to d; n and d are needed. invalidArgument with what was
/// given and what is legal: unknown or repeated names, sizes outside 1..2^31-1, h no multiple of hkv, or tensors that
/// do not fit into this machine's memory.
Result<reference::Shape> parseShape(const std::string &text);

/// The same notation for a shape: "b=1,h=12,n=32760,m=32760,d=128,dv=128,hkv=12".
std::string shapeText(const reference::Shape &shape);

} // namespace tercet::cli
