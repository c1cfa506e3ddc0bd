#include "quern/shop.hpp"

#include <fstream>
#include <iterator>
#include <stdexcept>

#include "contract/lock.hpp"
#include "declaration/read.hpp"
#include "render/generate.hpp"
#include "render/templates.hpp"
#include "support/steps.hpp"
#include "text/diagnostic.hpp"

namespace test {
namespace {

std::string generate_migrations() {
  const std::string file = std::string{QUERN_SOURCE_DIR} + "/tests/quern/quern.toml";
  std::ifstream stream{file};
  const text::source source{file, {std::istreambuf_iterator<char>{stream}, {}}};
  const auto read = declaration::read(source);
  if (!read.declared) throw std::runtime_error{text::spell(read.problems, source)};
  const auto templates = render::check_templates(render::load_templates(std::nullopt));
  const auto made = render::generate(*read.declared, contract::lock{}, templates, render::parts::all);
  std::string sql;
  for (const auto& migration : made.migrations) sql += sql_of(migration.path, migration.text);
  return sql;
}

}  // namespace

void migrate_shop(quern::connection& db) {
  static const std::string migrations = generate_migrations();
  db.run_script("create schema shop;\n" + migrations);
}

shop_session::shop_session() {
  migrate_shop(db);
}

shop::email mail(std::int64_t order) {
  return {.order_id = order,
          .customer_id = order % 97,
          .recipient = "customer@example.org",
          .channel = shop::channel::sms,
          .subject = "Order " + std::to_string(order),
          .note = "ä 漢字 🦆",
          .attachments = {quern::uuid{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}, quern::uuid{}},
          .send_after = quern::timestamp{std::chrono::seconds{order}}};
}

}  // namespace test
