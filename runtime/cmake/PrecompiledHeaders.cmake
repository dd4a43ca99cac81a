# Headers that many files include, precompiled once for all components that ask for them: with clang, which also keeps the
# templates that they instantiate, a file then costs a third of what it costs without. Everything has one set of code
# generation flags (-fPIC for programs too, set with the options in the root), so that programs share what libraries use.
#
# tercet_precompile(name LINKS target .. HEADERS header .. [AFTER target ..] [OPTIONS option ..]): AFTER are targets that generate
# headers
function(tercet_precompile name)
  if(NOT TERCET_PRECOMPILE)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "LINKS;HEADERS;AFTER;OPTIONS" ${ARGN})
  file(CONFIGURE OUTPUT ${name}_headers.cpp CONTENT "// Stands for precompiled headers, which a target of CMake needs a source for.\n")
  add_library(tercet_${name}_headers STATIC ${CMAKE_CURRENT_BINARY_DIR}/${name}_headers.cpp)
  target_include_directories(tercet_${name}_headers PRIVATE ${PROJECT_SOURCE_DIR}/runtime/include
    ${PROJECT_SOURCE_DIR}/dialect/include ${PROJECT_BINARY_DIR}/dialect/include)
  target_link_libraries(tercet_${name}_headers PRIVATE tercet_options ${ARG_LINKS})
  target_compile_options(tercet_${name}_headers PRIVATE ${ARG_OPTIONS})
  target_precompile_headers(tercet_${name}_headers PRIVATE ${ARG_HEADERS})
  if(ARG_AFTER)
    add_dependencies(tercet_${name}_headers ${ARG_AFTER})
  endif()
endfunction()

# tercet_use_headers(name target ..): these targets, libraries or programs, include what `name` precompiles
function(tercet_use_headers name)
  if(NOT TERCET_PRECOMPILE)
    return()
  endif()
  foreach(target ${ARGN})
    target_precompile_headers(${target} REUSE_FROM tercet_${name}_headers)
  endforeach()
endfunction()
