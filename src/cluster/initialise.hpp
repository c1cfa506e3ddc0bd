#pragma once

#include "cluster/account.hpp"
#include "cluster/binaries.hpp"
#include "cluster/place.hpp"

namespace cluster {

/// Makes the cluster of a place that has none: UTF-8, sorted by code point, superuser postgres, no passwords (who can
/// reach the socket is trusted). It appears whole or not at all. Throws error with what initdb said.
/// A throw-away one is not written through to the disk, and is copied from a template that the first one leaves.
void initialise(const place& where, const binaries& programs, const account& owner, bool is_throw_away);

}  // namespace cluster
