#include "recipes/scene.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <stdexcept>
#include <utility>

#include "migrate/drift.hpp"
#include "migrate/runner.hpp"

namespace test {

namespace fs = std::filesystem;

namespace {

const render::template_set& program_templates() {
  static const auto checked = templates();
  return checked;
}

/// What a field of any recipe may hold.
std::string example(const contract::field& field) {
  const auto type = field.type.substr(0, field.type.find_first_of("?[("));
  if (field.type.find("[]") != std::string::npos) return "'{}'";
  if (!field.values.empty()) return fmt::format("'{}'", field.values.front());
  if (type == "text") return "'A'";
  if (type == "date") return "'2026-06-01'";
  if (type == "uuid") return "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'";
  if (type == "jsonb") return "'{}'";
  return "'5'";
}

/// Roles keep the rights on shared objects that another queue may have given them.
bool is_shared_right(const migrate::difference& one) {
  const bool is_shared = one.object.find("quern_") != std::string::npos || one.object.starts_with("schema ") ||
                         one.object.find(" queue_") != std::string::npos ||
                         one.object.find(" stream_") != std::string::npos;
  return is_shared && one.property.starts_with("grant");
}

}  // namespace

migrations_folder::migrations_folder() {
  std::string name = "/tmp/quern-recipe-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error{"cannot make a temporary directory"};
  root_ = name;
}

migrations_folder::~migrations_folder() {
  fs::remove_all(root_);
}

void migrations_folder::add(const render::output_file& file) const {
  fs::create_directories((root_ / file.path).parent_path());
  std::ofstream{root_ / file.path, std::ios::binary} << file.text;
}

migrate::directory migrations_folder::read() const {
  auto read = migrate::read_directory(root_);
  if (!read.problems.empty()) throw std::runtime_error{migrate::spell(read.problems.front())};
  return std::move(read.value);
}

recipe_scene::recipe_scene(const recipe& recipe) : recipe_scene{play(recipe, program_templates())} {}

recipe_scene::recipe_scene(played_recipe played)
    : played_{std::make_shared<played_recipe>(std::move(played))},
      released_{std::make_shared<migrations_folder>()},
      all_{std::make_shared<migrations_folder>()} {
  for (const auto* role : {"web", "Web-App", "mailer", "ops", "courier"}) ensure_role(role);
  for (const auto& file : played_->released) {
    released_->add(file);
    all_->add(file);
  }
  for (const auto& file : played_->wanted.migrations) all_->add(file);
}

recipe_scene::recipe_scene(const recipe_scene& like)
    : db_{like.db_}, played_{like.played_}, released_{like.released_}, all_{like.all_} {}

bool recipe_scene::is_final() const {
  const auto& all = played().wanted.migrations;
  return std::any_of(all.begin(), all.end(), test::is_final);
}

void recipe_scene::migrate(const migrations_folder& to) const {
  migrate::apply(to.read(), {.database = db_.url(), .schema = "shop", .patience = std::chrono::seconds{30}});
}

std::vector<migrate::rollback_request> recipe_scene::rollbacks() const {
  std::vector<migrate::rollback_request> result;
  const auto& migrations = played().wanted.migrations;
  for (auto file = migrations.rbegin(); file != migrations.rend(); ++file) {
    const auto slash = file->path.find('/');
    const auto line = file->path.substr(0, slash);
    if (line == contract::core_line) continue;
    const int number = std::stoi(file->path.substr(slash + 1));
    result.push_back({.database = db_.url(), .schema = "shop", .line = line, .number = number});
  }
  return result;
}

void recipe_scene::roll_back() const {
  for (const auto& one : rollbacks()) {
    const auto taken_back = migrate::rollback(one);
    if (taken_back.size() != 1) throw std::runtime_error{*one.line + " was not taken back"};
  }
}

bool recipe_scene::can_roll_core_back() const {
  for (const auto& [path, text] : played().wanted.migrations) {
    if (path.starts_with("core/")) return text.find("-- Without a way back") == std::string::npos;
  }
  return false;
}

void recipe_scene::roll_core_back() const {
  const auto taken_back = migrate::rollback({.database = db_.url(), .schema = "shop", .line = "core"});
  if (taken_back.size() != 1) throw std::runtime_error{"the shared objects were not taken back"};
}

void recipe_scene::forget_everything() const {
  connect().execute("drop schema if exists shop cascade");
}

migrate::catalog recipe_scene::catalog() const {
  auto db = connect();
  return migrate::read_catalog(db, "shop");
}

migrate::catalog recipe_scene::fresh_catalog() const {
  forget_everything();
  auto db = connect();
  db.execute("create schema shop");
  const std::string core = "sql/core.sql";
  for (const bool is_core : {true, false}) {
    for (const auto& file : played().wanted.files) {
      if (file.path.starts_with("sql/") && (file.path == core) == is_core) db.run_script(file.text);
    }
  }
  return catalog();
}

migrate::catalog recipe_scene::released_catalog() const {
  forget_everything();
  migrate_core();
  return catalog();
}

void recipe_scene::migrate_core() const {
  const migrations_folder partly;
  for (const auto& file : played().released) partly.add(file);
  for (const auto& file : played().wanted.migrations) {
    if (file.path.starts_with("core/")) partly.add(file);
  }
  migrate(partly);
}

std::vector<contract::payload_contract> recipe_scene::spoken(const contract::lock& lock) {
  std::vector<contract::payload_contract> result;
  const auto* line = contract::find_line(lock, "email");
  if (line == nullptr || line->state.is_dropped) return result;
  for (const auto* one : contract::live(line->state.contracts)) result.push_back(*one);
  return result;
}

std::vector<contract::payload_contract> recipe_scene::lasting() const {
  auto result = spoken(played().lock);
  const auto wanted = spoken(played().wanted.lock);
  std::erase_if(result, [&](const auto& one) {
    return std::none_of(wanted.begin(), wanted.end(), [&](const auto& other) { return other.version == one.version; });
  });
  return result;
}

void recipe_scene::enqueue(const contract::payload_contract& contract) const {
  std::vector<std::string> arguments;
  for (const auto& field : contract.fields) arguments.push_back(fmt::format("p_{} => {}", field.name, example(field)));
  if (contract.priorities > 0) arguments.push_back(fmt::format("p_priority => {}", contract.priorities - 1));
  if (contract.has_headers) arguments.emplace_back("p_headers => '{}'");
  auto db = connect();
  // The examples are all the same, and none is to be left out.
  db.run_script(R"(
    do $$
    declare
      v_table text;
    begin
      for v_table in
        select tablename from pg_tables where schemaname = 'shop' and tablename like 'email\_unique\_v%'
      loop
        execute pg_catalog.format('delete from shop.%I', v_table);
      end loop;
    end
    $$;
  )");
  db.execute(fmt::format("select shop.{}_enqueue_v{}({})::text", contract.queue, contract.version,
                         fmt::join(arguments, ", ")));
}

std::vector<std::size_t> recipe_scene::readable(const contract::payload_contract& contract) const {
  std::vector<std::size_t> counts;
  for (const auto* how : {"claim", "claim_json", "take"}) {
    auto db = connect();
    // What the call before gave back is found at the next sweep.
    db.execute(fmt::format("select setval('shop.email_v{}_swept_at', 0)", contract.version));
    db.execute("begin");
    // An ordered queue hands out the next of a key when the one before is ended.
    const auto all =
        fmt::format("select count(shop.{0}_ack(c.message_id, c.attempt))::text from shop.{0}_{1}_v{2}(100) as c",
                    contract.queue, how, contract.version);
    counts.push_back(0);
    for (std::size_t some = 1; some != 0; counts.back() += some)
      some = std::stoul(db.execute(all)[0].get<std::string>(0));
    db.execute("rollback");
  }
  return counts;
}

std::vector<std::string> recipe_scene::messages(const contract::payload_contract& contract) const {
  std::map<std::int64_t, std::string> by_number;
  auto db = connect();
  db.execute(fmt::format("select setval('shop.email_v{}_swept_at', 0)", contract.version));
  db.execute("begin");
  // An ordered queue hands out the next of a key when the one before is ended.
  const auto some = fmt::format(
      "select c.message_id, c.message_id || ' ' || c.payload, shop.{0}_ack(c.message_id, c.attempt) "
      "from shop.{0}_claim_json_v{1}(100) as c",
      contract.queue, contract.version);
  for (std::size_t known = 1; known != by_number.size();) {
    known = by_number.size();
    for (const auto row : db.execute(some)) by_number.emplace(row.get<std::int64_t>(0), row.get<std::string>(1));
  }
  db.execute("rollback");
  std::vector<std::string> result;
  for (auto& [number, message] : by_number) result.push_back(std::move(message));
  return result;
}

std::string differences(const migrate::catalog& expected, const migrate::catalog& found) {
  std::string words;
  for (const auto& one : migrate::compare(expected, found)) {
    if (one.kind != migrate::difference_kind::order && !is_shared_right(one)) words += one.words + "\n";
  }
  return words;
}

}  // namespace test
