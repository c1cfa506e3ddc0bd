# kainjow Mustache is one header without a CMake package: the target mustache::mustache.

find_path(mustache_INCLUDE_DIR kainjow/mustache.hpp)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(mustache REQUIRED_VARS mustache_INCLUDE_DIR)
mark_as_advanced(mustache_INCLUDE_DIR)
if(mustache_FOUND AND NOT TARGET mustache::mustache)
  add_library(mustache::mustache INTERFACE IMPORTED)
  set_target_properties(mustache::mustache PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${mustache_INCLUDE_DIR}")
endif()
