# What makes a build faster where it is installed; nothing of it is needed. Only for the project's own builds.

if(NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()

find_program(QUERN_CCACHE ccache)
mark_as_advanced(QUERN_CCACHE)
if(QUERN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The tests use a precompiled header, which ccache takes only when told that its macros are no matter.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros "${QUERN_CCACHE}")
endif()

include(CheckLinkerFlag)
foreach(linker mold lld)
  check_linker_flag(CXX -fuse-ld=${linker} QUERN_HAS_${linker})
  if(QUERN_HAS_${linker})
    add_link_options(-fuse-ld=${linker})
    break()
  endif()
endforeach()
