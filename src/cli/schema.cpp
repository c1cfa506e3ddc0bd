// quern schema: the keys of a declaration, for editors.

#include "check/schema.hpp"

#include "cli/command.hpp"
#include "cli/standard_streams.hpp"

namespace cli {

void add_schema(const command_line& program, exit_code& result) {
  const command_line command = program.add_command(
      "schema",
      "Print the JSON schema of quern.toml. Editors complete and check with it: store it beside quern.toml as "
      "quern.schema.json, and begin quern.toml with `#:schema ./quern.schema.json`");
  on_call(command, result, [] {
    write_output(check::declaration_schema());
    return exit_code::done;
  });
}

}  // namespace cli
