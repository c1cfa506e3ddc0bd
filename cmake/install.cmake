# What is installed: the library with its public headers, the program, and the package that finds both.

include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/quern")

install(TARGETS quern_runtime EXPORT quern ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
# A file of its own: who asks for the component migrate needs its libraries, nobody else.
install(TARGETS quern_migrate EXPORT quern_migrate ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(TARGETS quern EXPORT quern RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(DIRECTORY src/quern DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING
  PATTERN "*.hpp" PATTERN "session.hpp" EXCLUDE)
install(EXPORT quern NAMESPACE quern:: FILE quernTargets.cmake DESTINATION "${package_dir}")
install(EXPORT quern_migrate NAMESPACE quern:: FILE quernMigrateTargets.cmake DESTINATION "${package_dir}")

configure_package_config_file(cmake/quernConfig.cmake.in "${PROJECT_BINARY_DIR}/quernConfig.cmake"
  INSTALL_DESTINATION "${package_dir}" NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/quernConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/quernConfig.cmake" "${PROJECT_BINARY_DIR}/quernConfigVersion.cmake"
  cmake/quern_generate.cmake cmake/Findpg_query.cmake DESTINATION "${package_dir}")
