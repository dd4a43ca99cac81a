# What `cmake --install` puts where, and archives of it: `cpack` (.tar.gz), `cpack -G DEB`. Everything is found relative to what
# finds it, so that the tree may be moved.
include(CMakePackageConfigHelpers)
set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/Tercet)
set(libraries tercet_runtime_library)
set(programs)
if(TERCET_BUILD_COMPILER)
  list(APPEND libraries tercet_library)
  list(APPEND programs tercet tercet-run tercet-nvrtc)
endif()

install(TARGETS ${libraries} EXPORT TercetTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT libraries
  NAMELINK_COMPONENT development)
if(programs)
  install(TARGETS ${programs} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT programs)
endif()
install(FILES ${PROJECT_SOURCE_DIR}/runtime/include/tercet/tercet.h ${PROJECT_SOURCE_DIR}/runtime/include/tercet/tercet.hpp
              ${PROJECT_SOURCE_DIR}/runtime/include/tercet/values.hpp
  ${PROJECT_SOURCE_DIR}/runtime/include/tercet/DlpackTypes.h ${PROJECT_SOURCE_DIR}/runtime/include/tercet/Version.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tercet COMPONENT development)
install(EXPORT TercetTargets NAMESPACE Tercet:: DESTINATION ${config_folder} COMPONENT development)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/TercetConfig.cmake.in ${PROJECT_BINARY_DIR}/TercetConfig.cmake
  INSTALL_DESTINATION ${config_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/TercetConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/TercetConfig.cmake ${PROJECT_BINARY_DIR}/TercetConfigVersion.cmake
  DESTINATION ${config_folder} COMPONENT development)

# tercet_install_pkgconfig(name library description)
function(tercet_install_pkgconfig pc_name pc_library pc_description)
  file(RELATIVE_PATH prefix_from_pkgconfig /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
  configure_file(${PROJECT_SOURCE_DIR}/runtime/cmake/tercet.pc.in ${PROJECT_BINARY_DIR}/${pc_name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${pc_name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
endfunction()
tercet_install_pkgconfig(tercet-runtime tercet_runtime "Runs attention kernels that Tercet compiled")
if(TERCET_BUILD_COMPILER)
  tercet_install_pkgconfig(tercet tercet "Compiles attention variants and runs them")
endif()

set(CPACK_GENERATOR TGZ)
set(CPACK_PACKAGE_NAME tercet)
set(CPACK_PACKAGE_VENDOR Tercet)
set(CPACK_PACKAGE_CONTACT Tercet)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "An attention compiler and its runtime library")
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
include(CPack)
