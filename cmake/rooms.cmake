# A room is a folder of src/ with one job and a direction: it is a target that links
# only what stands below it, so that a call the wrong way does not link.

# What every target of the project is compiled with.
function(quern_compile_options target)
  # A designated initialiser names what differs from the default; the rest is left out on purpose.
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wno-missing-field-initializers)
  if(QUERN_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(QUERN_SANITIZE)
    # Instrumented code hides from g++ what initialises a variant: that warning is right without sanitizers only.
    target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized)
    target_compile_options(${target} PRIVATE -fsanitize=${QUERN_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${QUERN_SANITIZE})
  endif()
endfunction()

# quern_room(<name> DEPENDS <target>... PRIVATE <target>...): a static library of the folder's sources; what stands
# under PRIVATE is seen by no other room.
function(quern_room name)
  cmake_parse_arguments(room "" "" "DEPENDS;PRIVATE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp")
  add_library(quern_${name} STATIC ${sources})
  target_include_directories(quern_${name} PUBLIC "$<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}>")
  target_link_libraries(quern_${name} PUBLIC ${room_DEPENDS} PRIVATE ${room_PRIVATE})
  quern_compile_options(quern_${name})
endfunction()
