#pragma once

#include <shop/crates.hpp>
#include <shop/email.hpp>
#include <shop/kinds.hpp>
#include <shop/orders.hpp>
#include <shop/parcels.hpp>
#include <shop/slow.hpp>
#include <shop/telegrams.hpp>
#include <shop/webhooks.hpp>

#include "quern/fixture.hpp"

namespace test {

/// What tests/quern/quern.toml makes, on an empty database.
void migrate_shop(quern::connection& db);

/// A session with a database into which tests/quern/quern.toml was migrated.
struct shop_session : session {
  shop_session();

  std::int64_t count(const std::string& table) {
    return db.execute("select count(*) from shop." + table).value<std::int64_t>();
  }
};

/// A mail with something in every field.
shop::email mail(std::int64_t order);

}  // namespace test
