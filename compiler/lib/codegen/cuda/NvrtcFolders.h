// Where the program or library that this code is part of lies: NVRTC and the compile helper are looked for beside it.
#pragma once

#include <filesystem>

namespace tercet::compiler {

/// The folder of the executable or shared library that holds this function; empty if the system does not say.
std::filesystem::path folderOfThisBinary();

} // namespace tercet::compiler
