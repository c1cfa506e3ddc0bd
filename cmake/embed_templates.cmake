# quern_embed_templates(<target> <directory>): the target gets a source that holds every *.mustache below the directory,
# and the list of engines.
#
# As a script: cmake -D directory=<dir> -D names=<list file> -D output=<cpp> -P embed_templates.cmake writes that source.

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  file(STRINGS "${names}" files)
  file(WRITE "${output}.new" [[
#include "render/templates.hpp"

const std::vector<render::embedded_template>& render::embedded_templates() {
  static const std::vector<embedded_template> templates{
]])
  foreach(file IN LISTS files)
    file(READ "${directory}/${file}" content)
    # Raw strings: nothing in a template is escaped. A compiler must take 65,536 characters in one.
    string(LENGTH "${content}" length)
    if(length GREATER 65000)
      message(FATAL_ERROR "${file} is too long to be embedded: ${length} characters")
    endif()
    if(content MATCHES "\\)quern\"")
      message(FATAL_ERROR "${file} holds the text that ends an embedded template")
    endif()
    file(APPEND "${output}.new" "      {\"${file}\", R\"quern(" "${content}" ")quern\"},\n")
  endforeach()
  file(APPEND "${output}.new" "  };\n  return templates;\n}\n")
  file(RENAME "${output}.new" "${output}")
  return()
endif()

set(quern_embed_script "${CMAKE_CURRENT_LIST_FILE}")

function(quern_embed_templates target directory)
  file(GLOB_RECURSE files RELATIVE "${directory}" CONFIGURE_DEPENDS "${directory}/*.mustache" "${directory}/engine.txt")
  list(SORT files)
  list(JOIN files "\n" lines)
  # The list is an input as well: a file that is gone has no time of change.
  set(names "${CMAKE_CURRENT_BINARY_DIR}/templates.txt")
  file(CONFIGURE OUTPUT "${names}" CONTENT "@lines@\n" @ONLY)
  set(output "${CMAKE_CURRENT_BINARY_DIR}/embedded_templates.cpp")
  list(TRANSFORM files PREPEND "${directory}/")
  add_custom_command(OUTPUT "${output}"
    COMMAND "${CMAKE_COMMAND}" -D "directory=${directory}" -D "names=${names}" -D "output=${output}" -P "${quern_embed_script}"
    DEPENDS ${files} "${names}" "${quern_embed_script}" COMMENT "Embedding the templates" VERBATIM)
  target_sources(${target} PRIVATE "${output}")
endfunction()
