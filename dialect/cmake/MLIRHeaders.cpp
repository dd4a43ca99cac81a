// Stands for the precompiled headers of MLIRHeaders.cmake, which a target of CMake needs a source for.
