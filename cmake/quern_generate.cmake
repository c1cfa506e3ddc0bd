# quern_generate(TARGET <target> DECLARATION <quern.toml> [MIGRATIONS <dir>] [TEMPLATES <dir>] [OUT <dir>] [EMBED <namespace>])
#
# Generates the C++ headers of the declaration when the target is built, and gives the target their folder and quern::quern.
#   MIGRATIONS  the directory with quern.lock, when it is not `migrations` next to the declaration
#   TEMPLATES   templates that take the place of the built-in ones
#   OUT         where the headers go, below include/; a folder of the build directory unless given
#   EMBED       compiles the migrations into the target: <namespace>/migrations.hpp declares <namespace>::migrations(), which
#               quern::migrate() and quern::verify() take; needs find_package(quern COMPONENTS migrate)
# Relative paths are seen from the current source directory, OUT from the current binary directory.
# Several targets may name the same declaration: it is generated once.

cmake_policy(PUSH)
cmake_policy(VERSION 3.22...3.30)

# As a script: cmake -D directory=<dir> -D list=<file> -P quern_generate.cmake writes the headers below the directory
# into the list, and leaves the list alone when nothing has changed.
function(quern_list_headers directory list)
  file(GLOB_RECURSE headers LIST_DIRECTORIES false "${directory}/include/*.hpp")
  list(SORT headers)
  list(JOIN headers "\n" content)
  file(CONFIGURE OUTPUT "${list}" CONTENT "@content@" @ONLY)
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  quern_list_headers("${directory}" "${list}")
  cmake_policy(POP)
  return()
endif()

set(quern_generate_script "${CMAKE_CURRENT_LIST_FILE}" CACHE INTERNAL "")

# The installed program; empty while it is a target of this very build and does not stand yet.
function(quern_installed_generator result)
  set(${result} "" PARENT_SCOPE)
  get_target_property(is_imported quern::generator IMPORTED)
  if(NOT is_imported)
    return()
  endif()
  get_target_property(configurations quern::generator IMPORTED_CONFIGURATIONS)
  list(GET configurations 0 configuration)
  get_target_property(location quern::generator IMPORTED_LOCATION_${configuration})
  set(${result} "${location}" PARENT_SCOPE)
endfunction()

# The rule that generates into `directory`, as the target `name`. Ninja looks at the headers before it runs any rule: it has
# to know which headers the rule makes, or a source that uses a changed one would be compiled a build too late. Which they are
# stands in a list that is read when CMake runs, and that makes CMake run again when it changes. An installed
# generator fills it here and now; one that is built by this build does so when it has run for the first time.
function(quern_add_rule name directory declaration depends arguments)
  set(state "${CMAKE_BINARY_DIR}/quern/${name}")
  set(stamp "${state}/stamp")
  set(list "${state}/headers.txt")
  list(PREPEND arguments generate --file "${declaration}" --out "${directory}" --only headers --depfile "${stamp}.d")
  file(MAKE_DIRECTORY "${state}")

  quern_installed_generator(generator)
  if(generator)
    # A declaration with errors is reported by the build, at its place in the build's output.
    execute_process(COMMAND "${generator}" ${arguments} OUTPUT_QUIET ERROR_QUIET)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${declaration}" "${generator}")
    quern_list_headers("${directory}" "${list}")
  elseif(NOT EXISTS "${list}")
    file(WRITE "${list}" "")
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${list}")
  file(STRINGS "${list}" headers)

  add_custom_command(OUTPUT "${stamp}" BYPRODUCTS ${headers}
    COMMAND quern::generator ${arguments}
    COMMAND "${CMAKE_COMMAND}" -D "directory=${directory}" -D "list=${list}" -P "${quern_generate_script}"
    COMMAND "${CMAKE_COMMAND}" -E touch "${stamp}"
    DEPENDS "${declaration}" quern::generator "$<TARGET_FILE:quern::generator>" ${depends}
    DEPFILE "${stamp}.d" COMMENT "Generating the headers of ${declaration}" VERBATIM)
  add_custom_target(${name} DEPENDS "${stamp}")
endfunction()

# The rule that embeds the migrations, as the target `name`, and its source. Read again when a migration comes, goes or changes:
# the depfile names them and their folders.
function(quern_add_embedding name directory migrations namespace)
  set(state "${CMAKE_BINARY_DIR}/quern/${name}")
  set(stamp "${state}/stamp")
  file(MAKE_DIRECTORY "${state}")
  string(REPLACE "::" "/" folder "${namespace}")
  set(header "${directory}/${folder}/migrations.hpp")
  string(REGEX REPLACE "hpp$" "cpp" source "${header}")
  add_custom_command(OUTPUT "${stamp}" BYPRODUCTS "${header}" "${source}"
    COMMAND quern::generator embed --migrations "${migrations}" --namespace "${namespace}" --out "${header}" --depfile "${stamp}.d"
    COMMAND "${CMAKE_COMMAND}" -E touch "${stamp}"
    DEPENDS quern::generator "$<TARGET_FILE:quern::generator>"
    DEPFILE "${stamp}.d" COMMENT "Embedding the migrations in ${migrations}" VERBATIM)
  add_custom_target(${name} DEPENDS "${stamp}")
  # Compiled once, also when several targets hold it.
  add_library(${name}_object OBJECT "${source}")
  set_source_files_properties("${source}" PROPERTIES GENERATED TRUE)
  set_target_properties(${name}_object PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(${name}_object PRIVATE quern::migrate)
  add_dependencies(${name}_object ${name})
endfunction()

# Gives the target the migrations next to the declaration, or those in `migrations`.
function(quern_embed target declaration migrations namespace)
  if(NOT TARGET quern::migrate)
    message(FATAL_ERROR "quern_generate: EMBED needs find_package(quern COMPONENTS migrate)")
  endif()
  if(NOT migrations)
    get_filename_component(migrations "${declaration}" DIRECTORY)
    string(APPEND migrations "/migrations")
  endif()
  string(SHA256 key "${migrations};${namespace}")
  string(SUBSTRING "${key}" 0 12 key)
  set(name "quern_embed_${key}")
  set(directory "${CMAKE_BINARY_DIR}/quern/${name}/include")
  if(NOT TARGET ${name})
    quern_add_embedding(${name} "${directory}" "${migrations}" "${namespace}")
  endif()
  set_property(TARGET ${target} APPEND PROPERTY INCLUDE_DIRECTORIES "$<BUILD_INTERFACE:${directory}>")
  set_property(TARGET ${target} APPEND PROPERTY LINK_LIBRARIES quern::migrate)
  target_sources(${target} PRIVATE "$<TARGET_OBJECTS:${name}_object>")
  add_dependencies(${target} ${name})
endfunction()

function(quern_generate)
  cmake_parse_arguments(arg "" "TARGET;DECLARATION;MIGRATIONS;TEMPLATES;OUT;EMBED" "" ${ARGN})
  if(NOT arg_TARGET OR NOT arg_DECLARATION OR arg_UNPARSED_ARGUMENTS OR arg_KEYWORDS_MISSING_VALUES)
    message(FATAL_ERROR "quern_generate(TARGET <target> DECLARATION <file> [MIGRATIONS <dir>] [TEMPLATES <dir>] [OUT <dir>] [EMBED <namespace>])"
      " was given: ${ARGN}")
  endif()
  if(NOT TARGET ${arg_TARGET})
    message(FATAL_ERROR "quern_generate: there is no target ${arg_TARGET}; call it after add_executable or add_library")
  endif()

  get_filename_component(declaration "${arg_DECLARATION}" ABSOLUTE)
  set(arguments "")
  set(depends "")
  set(migrations "")
  if(arg_MIGRATIONS)
    get_filename_component(migrations "${arg_MIGRATIONS}" ABSOLUTE)
    list(APPEND arguments --migrations "${migrations}")
  endif()
  if(arg_TEMPLATES)
    get_filename_component(templates "${arg_TEMPLATES}" ABSOLUTE)
    list(APPEND arguments --templates "${templates}")
    # The files in use are named by the depfile; the folder itself changes when one comes or goes.
    list(APPEND depends "${templates}")
  endif()
  set(directory "")
  if(arg_OUT)
    get_filename_component(directory "${arg_OUT}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_BINARY_DIR}")
  endif()

  string(SHA256 key "${declaration};${arguments};${directory}")
  string(SUBSTRING "${key}" 0 12 key)
  set(name "quern_generate_${key}")
  if(NOT directory)
    set(directory "${CMAKE_BINARY_DIR}/quern/${name}/generated")
  endif()
  if(NOT TARGET ${name})
    quern_add_rule(${name} "${directory}" "${declaration}" "${depends}" "${arguments}")
  endif()

  # Properties, not target_link_libraries: the target may use that command with or without keywords.
  get_target_property(type ${arg_TARGET} TYPE)
  set(include "$<BUILD_INTERFACE:${directory}/include>")
  if(NOT type STREQUAL "INTERFACE_LIBRARY")
    set_property(TARGET ${arg_TARGET} APPEND PROPERTY INCLUDE_DIRECTORIES "${include}")
    set_property(TARGET ${arg_TARGET} APPEND PROPERTY LINK_LIBRARIES quern::quern)
  endif()
  set_property(TARGET ${arg_TARGET} APPEND PROPERTY INTERFACE_INCLUDE_DIRECTORIES "${include}")
  set_property(TARGET ${arg_TARGET} APPEND PROPERTY INTERFACE_LINK_LIBRARIES quern::quern)
  add_dependencies(${arg_TARGET} ${name})
  if(arg_EMBED)
    quern_embed(${arg_TARGET} "${declaration}" "${migrations}" "${arg_EMBED}")
  endif()
endfunction()

cmake_policy(POP)
