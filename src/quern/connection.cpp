#include "quern/connection.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "quern/session.hpp"
#include "quern/sqlstate.hpp"

namespace quern {
namespace {

std::string_view field_or_empty(const PGresult* result, int field) {
  const char* const text = PQresultErrorField(result, field);
  return text == nullptr ? std::string_view{} : text;
}

void forward_notice(void* handler, const PGresult* result) noexcept {
  const auto& call = *static_cast<const std::function<void(const notice&)>*>(handler);
  if (!call) return;
  call(notice{.severity = field_or_empty(result, PG_DIAG_SEVERITY_NONLOCALIZED),
              .sqlstate = field_or_empty(result, PG_DIAG_SQLSTATE),
              .message = field_or_empty(result, PG_DIAG_MESSAGE_PRIMARY),
              .detail = field_or_empty(result, PG_DIAG_MESSAGE_DETAIL),
              .hint = field_or_empty(result, PG_DIAG_MESSAGE_HINT)});
}

std::string without_final_newline(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

// libpq takes whole seconds, two at least.
std::string connect_timeout(std::chrono::milliseconds time) {
  return std::to_string(std::max<std::int64_t>(2, std::chrono::ceil<std::chrono::seconds>(time).count()));
}

PGconn* connect(const connection_settings& settings) {
  const connection_options& options = settings.options;
  const auto timeout = options.network_timeout;
  const std::string connecting = connect_timeout(timeout);
  const std::string answering = std::to_string(timeout.count());
  // The later of two equal keywords wins: texts are UTF-8 whatever the string or the environment says.
  std::vector<const char*> keywords{"dbname", "fallback_application_name", "client_encoding"};
  std::vector<const char*> values{settings.database.c_str(), options.application_name.c_str(), "UTF8"};
  if (timeout.count() > 0) {
    keywords.insert(keywords.end(), {"connect_timeout", "tcp_user_timeout"});
    values.insert(values.end(), {connecting.c_str(), answering.c_str()});
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  PGconn* const handle = PQconnectdbParams(keywords.data(), values.data(), 1);
  if (handle == nullptr) throw std::bad_alloc{};
  return handle;
}

oid number_of(connection& on, std::string_view type) {
  return static_cast<oid>(on.execute("select $1::regtype::oid", type).value<std::int64_t>());
}

}  // namespace

std::string from_environment() {
  const char* const database = std::getenv("QUERN_DATABASE");
  return database == nullptr ? "" : database;
}

connection::connection(std::string_view database, connection_options options)
    : connection{connection_settings{std::string{database}, std::move(options)}} {}

connection::connection(connection_settings settings) : session_{std::make_unique<session>()} {
  session_->settings = std::move(settings);
  session_->scratch.use(session_->enums);
  session_->open();
}

void connection::reopen() {
  session_->open();
  // Another server may have given them other numbers.
  for (const std::string& name : session_->enums.names()) session_->enums.put(name, number_of(*this, name));
}

const connection_settings& connection::settings() const noexcept {
  return session_->settings;
}

connection::connection(connection&&) noexcept = default;
connection& connection::operator=(connection&&) noexcept = default;
connection::~connection() = default;

result connection::execute_with(std::string_view sql, parameters& values) {
  session_->expect_ready(sql);
  const bool is_commit = session_->commits_by_itself();
  session_->send(sql, nullptr, values.bind());
  return session_->read_result(sql, is_commit);
}

result connection::execute_with(const prepared& statement, parameters& values) {
  if (!session_->settings.options.use_prepared_statements) return execute_with(statement.sql, values);
  session_->expect_ready(statement.sql);
  const auto bound = values.bind();
  const std::string& name = session_->prepare(statement.sql, bound);
  const bool is_commit = session_->commits_by_itself();
  session_->send(statement.sql, &name, bound);
  return session_->read_result(statement.sql, is_commit);
}

void connection::listen(std::string_view channel) {
  execute("listen " + quoted_identifier(channel));
}

void connection::unlisten(std::string_view channel) {
  execute("unlisten " + quoted_identifier(channel));
}

void connection::on_notice(std::function<void(const notice&)> handler) {
  session_->notice_handler = std::move(handler);
}

void connection::cancel() const {
  const std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> request{PQgetCancel(session_->pq()), &PQfreeCancel};
  std::array<char, 256> reason{};
  if (request && PQcancel(request.get(), reason.data(), static_cast<int>(reason.size())) == 1) return;
  failure details;
  details.message = "the running statement could not be cancelled: " + without_final_newline(reason.data());
  throw error{std::move(details)};
}

bool connection::is_usable() const noexcept {
  return session_ && !session_->is_lost();
}

transaction_status connection::status() const noexcept {
  if (session_->is_lost()) return transaction_status::unknown;
  switch (PQtransactionStatus(session_->pq())) {
    case PQTRANS_IDLE:
      return transaction_status::idle;
    case PQTRANS_ACTIVE:
      return transaction_status::active;
    case PQTRANS_INTRANS:
      return transaction_status::open;
    case PQTRANS_INERROR:
      return transaction_status::failed;
    case PQTRANS_UNKNOWN:
      break;
  }
  return transaction_status::unknown;
}

bool connection::is_in_transaction() const noexcept {
  return status() == transaction_status::open || status() == transaction_status::failed;
}

int connection::backend_pid() const noexcept {
  return PQbackendPID(session_->pq());
}

int connection::server_version() const noexcept {
  return PQserverVersion(session_->pq());
}

std::optional<std::string> connection::reported_setting(const std::string& name) const {
  const char* const value = PQparameterStatus(session_->pq(), name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

const enum_types& connection::enums() const noexcept {
  return session_->enums;
}

void connection::resolve_enum(std::string_view qualified_name) {
  if (session_->enums.find(qualified_name) != 0) return;
  session_->enums.put(qualified_name, number_of(*this, qualified_name));
}

PGconn* connection::native() const noexcept {
  return session_->pq();
}

parameters& connection::cleared_parameters() noexcept {
  session_->scratch.clear();
  return session_->scratch;
}

std::string quoted_identifier(std::string_view name) {
  wire::expect_text(name);
  std::string quoted = "\"";
  for (const char each : name) {
    if (each == '"') quoted += '"';
    quoted += each;
  }
  return quoted += '"';
}

void session::open() {
  // First the old one goes: with it its locks, and its place among the server's connections.
  handle.reset();
  statements.clear();
  is_broken = false;
  handle.reset(connect(settings));
  if (is_lost()) fail({}, false);
  PQsetNoticeReceiver(pq(), forward_notice, &notice_handler);
}

void session::expect_ready(std::string_view statement) const {
  if (is_lost()) fail(statement, false);
  if (PQpipelineStatus(pq()) != PQ_PIPELINE_OFF) throw std::logic_error{"quern::connection: a pipeline is under way"};
  if (PQtransactionStatus(pq()) == PQTRANS_ACTIVE) throw std::logic_error{"quern::connection: a COPY is under way"};
}

failure session::describe(const PGresult* result, std::string_view statement) {
  failure details;
  details.message = field_or_empty(result, PG_DIAG_MESSAGE_PRIMARY);
  if (details.message.empty()) details.message = without_final_newline(PQresultErrorMessage(result));
  details.sqlstate = field_or_empty(result, PG_DIAG_SQLSTATE);
  details.detail = field_or_empty(result, PG_DIAG_MESSAGE_DETAIL);
  details.hint = field_or_empty(result, PG_DIAG_MESSAGE_HINT);
  details.context = field_or_empty(result, PG_DIAG_CONTEXT);
  details.constraint = field_or_empty(result, PG_DIAG_CONSTRAINT_NAME);
  details.position = std::atoi(std::string{field_or_empty(result, PG_DIAG_STATEMENT_POSITION)}.c_str());
  details.statement = statement;
  return details;
}

void session::fail(std::string_view statement, bool is_outcome_unknown) const {
  failure details;
  details.message = without_final_newline(PQerrorMessage(pq()));
  details.statement = statement;
  details.is_connection_lost = is_lost();
  details.is_outcome_unknown = details.is_connection_lost && is_outcome_unknown;
  throw_failure(std::move(details));
}

}  // namespace quern
