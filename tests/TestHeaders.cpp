// Stands for the precompiled headers of the tests, which a target of CMake needs a source for.
