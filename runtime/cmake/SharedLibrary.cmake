# The libraries that hosts link: the C interface over static components, which were compiled for it already (-fPIC). Only
# functions of tercet/tercet.h are exported; what comes from elsewhere (LLVM, fmt, libstdc++) is inside and hidden, so that it
# cannot clash with what a host has of the same.
#
# tercet_add_shared_library(target name LINKS component ..): lib<name>.so, installed as Tercet::<name's last word>
function(tercet_add_shared_library target name)
  cmake_parse_arguments(ARG "" "EXPORT" "LINKS" ${ARGN})
  add_library(${target} SHARED $<TARGET_OBJECTS:tercet_c> $<TARGET_OBJECTS:tercet_format_library>)
  set(exports ${PROJECT_SOURCE_DIR}/runtime/bindings/c/tercet.exports)
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME ${name} EXPORT_NAME ${ARG_EXPORT} LINKER_LANGUAGE CXX VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib LINK_DEPENDS ${exports})
  target_include_directories(${target} INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/runtime/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${target} PRIVATE tercet_options ${ARG_LINKS})
  # -z nodelete: worker threads and thread-local failures may outlive a dlclose. Build ids are part of cache keys.
  target_link_options(${target} PRIVATE -Wl,--version-script=${exports} -Wl,-Bsymbolic -Wl,-z,nodelete -Wl,--build-id=sha1 -Wl,--as-needed)
  if(NOT TERCET_SANITIZE)
    target_link_options(${target} PRIVATE -static-libstdc++ -static-libgcc -Wl,--no-undefined)
  endif()
endfunction()
