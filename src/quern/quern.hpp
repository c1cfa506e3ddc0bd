#pragma once

// The run-time library of Quern. Guide to headers, from the outside in:
//
//   connection.hpp   a session with a server: execute, prepared statements, scripts, notifications, cancelling
//   transaction.hpp  begin, commit, and the rollback that nobody has to write
//   result.hpp       rows and their columns
//   error.hpp        what failed and what can be done about it; sqlstate.hpp: the codes

#include <quern/connection.hpp>
#include <quern/error.hpp>
#include <quern/result.hpp>
#include <quern/sqlstate.hpp>
#include <quern/transaction.hpp>
