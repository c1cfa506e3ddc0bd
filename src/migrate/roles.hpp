#pragma once

#include <quern/connection.hpp>
#include <string>
#include <vector>

namespace migrate {

/// Those of the roles that the server does not have, sorted, each once.
std::vector<std::string> missing_roles(quern::connection& db, const std::vector<std::string>& wanted);

/// `create role mailer nologin;`
std::string create_role_statement(const std::string& role);

/// Makes a role that cannot log in; does nothing when somebody else makes it at the same moment. Throws quern::error.
void create_role(quern::connection& db, const std::string& role);

}  // namespace migrate
