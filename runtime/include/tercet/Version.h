/* Version: of the library that this header came with. C and C++. tercet_version() is that of the library in use. */
#ifndef TERCET_VERSION_H
#define TERCET_VERSION_H

#define TERCET_VERSION_MAJOR 0
#define TERCET_VERSION_MINOR 1
#define TERCET_VERSION_PATCH 0
#define TERCET_VERSION_STRING "0.1.0"

/** 10203 for 1.2.3, for #if. */
#define TERCET_VERSION_NUMBER (TERCET_VERSION_MAJOR * 10000 + TERCET_VERSION_MINOR * 100 + TERCET_VERSION_PATCH)

#endif
