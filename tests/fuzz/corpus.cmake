# Copies tests/declaration/cases/<name>/quern.toml to corpus/<name>; what a run has found before stays.
file(MAKE_DIRECTORY "${CORPUS}")
file(GLOB cases RELATIVE "${CASES}" "${CASES}/*")
foreach(case IN LISTS cases)
  configure_file("${CASES}/${case}/quern.toml" "${CORPUS}/${case}" COPYONLY)
endforeach()
