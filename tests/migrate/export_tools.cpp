#include "migrate/export_tools.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "cluster/binaries.hpp"

namespace test {
namespace {

using migrate::export_format;
using migrate::file_texts;

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> made;
  for (std::string& word : words) made.push_back(word.data());
  made.push_back(nullptr);
  return made;
}

// A file that is gone with its object.
struct temporary {
  explicit temporary(const std::string& text = "") {
    std::string made = "/tmp/quern-export-XXXXXX";
    close(mkstemp(made.data()));
    name = made;
    std::ofstream{name, std::ios::binary} << text;
  }
  ~temporary() { std::filesystem::remove(name); }
  temporary(const temporary&) = delete;
  temporary& operator=(const temporary&) = delete;

  std::string text() const {
    std::ifstream input{name, std::ios::binary};
    return {std::istreambuf_iterator<char>{input}, {}};
  }

  std::string name;
};

psql_outcome psql(const std::string& url, const std::vector<std::string>& arguments) {
  std::vector<std::string> words{
      cluster::find_psql(cluster::find_binaries({}, {})).string(), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const std::vector<char*> word_pointers = pointers(words);
  const temporary output;
  const pid_t child = fork();
  if (child == 0) {
    const int file = open(output.name.c_str(), O_WRONLY | O_TRUNC);
    if (dup2(file, 1) == 1 && dup2(file, 2) == 2) execv(words.front().c_str(), word_pointers.data());
    _exit(127);
  }
  int state = 0;
  waitpid(child, &state, 0);
  return {WIFEXITED(state) ? WEXITSTATUS(state) : 128, output.text()};
}

void expect_success(const psql_outcome& done, const std::string& name) {
  if (done.exit_code != 0) throw std::runtime_error{fmt::format("{}: {}", name, done.words)};
}

// psql's \-commands are none of these tools' business.
void send(const std::string& url, const std::string& name, const std::string& text, bool is_transaction) {
  const temporary file{text};
  std::vector<std::string> arguments{"-f", file.name};
  if (is_transaction) arguments.emplace_back("-1");
  expect_success(psql(url, arguments), name);
}

// One message each, in one session.
void send_messages(const std::string& url, const std::string& name, const std::vector<std::string>& messages) {
  std::vector<std::string> arguments;
  for (const std::string& one : messages) arguments.insert(arguments.end(), {"-c", one});
  expect_success(psql(url, arguments), name);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream input{text};
  for (std::string line; std::getline(input, line);) lines.push_back(line);
  return lines;
}

// The lines behind the one that opens with `opening`, up to one that opens with `closing`.
std::vector<std::string> between(const std::string& text, std::string_view opening, std::string_view closing) {
  std::vector<std::string> found;
  bool is_inside = false;
  for (const std::string& line : lines_of(text)) {
    if (line.starts_with(closing)) is_inside = false;
    if (is_inside) found.push_back(line);
    if (line.starts_with(opening)) is_inside = true;
  }
  return found;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

void flyway(const file_texts& files, const std::string& name, const std::string& url) {
  const auto settings = files.find(name + ".conf");
  const std::string conf = settings == files.end() ? "" : settings->second;
  if (files.at(name).find("${") != std::string::npos && conf.find("placeholderReplacement=false") == std::string::npos)
    throw std::runtime_error{name + ": no value for a placeholder"};
  send(url, name, files.at(name), conf.find("executeInTransaction=false") == std::string::npos);
}

void dbmate(const file_texts& files, const std::string& name, const std::string& url, bool is_up) {
  const std::string& text = files.at(name);
  const std::string opening = is_up ? "-- migrate:up" : "-- migrate:down";
  const std::string section = joined(between(text, opening, is_up ? "-- migrate:down" : "-- migrate:up"));
  // A message of several statements is a transaction by itself.
  if (text.find(opening + " transaction:false\n") != std::string::npos) return send_messages(url, name, {section});
  send_messages(url, name, {"begin", section, "commit"});
}

void goose(const file_texts& files, const std::string& name, const std::string& url, bool is_up) {
  const std::string& text = files.at(name);
  const auto section =
      is_up ? between(text, "-- +goose Up", "-- +goose Down") : between(text, "-- +goose Down", "-- +goose Up");
  std::vector<std::string> statements;
  for (const std::string& line : section) {
    if (line == "-- +goose StatementBegin")
      statements.emplace_back();
    else if (line != "-- +goose StatementEnd" && !statements.empty())
      statements.back() += line + '\n';
  }
  if (text.find("-- +goose NO TRANSACTION\n") == std::string::npos) {
    statements.insert(statements.begin(), "begin");
    statements.emplace_back("commit");
  }
  send_messages(url, name, statements);
}

std::vector<std::string> sqitch_changes(const file_texts& files) {
  std::vector<std::string> changes;
  for (const std::string& line : lines_of(files.at("sqitch.plan")))
    if (!line.empty() && line.front() != '%') changes.push_back(line.substr(0, line.find(' ')));
  return changes;
}

void sqitch(const file_texts& files, const std::string& url, bool is_up) {
  std::vector<std::string> changes = sqitch_changes(files);
  if (!is_up) std::ranges::reverse(changes);
  for (const std::string& change : changes) {
    send(url, change, files.at((is_up ? "deploy/" : "revert/") + change + ".sql"), false);
    if (is_up) send(url, change, files.at("verify/" + change + ".sql"), false);
  }
}

std::vector<std::string> names_in_order(export_format format, const file_texts& files, bool is_up) {
  std::vector<std::string> names;
  for (const auto& [name, text] : files)
    if (name.ends_with(".sql") && (format != export_format::flyway || name.starts_with(is_up ? 'V' : 'U')))
      names.push_back(name);
  if (!is_up) std::ranges::reverse(names);
  return names;
}

void run(export_format format, const file_texts& files, const std::string& url, bool is_up) {
  if (format == export_format::sqitch) return sqitch(files, url, is_up);
  for (const std::string& name : names_in_order(format, files, is_up)) {
    if (format == export_format::flyway) flyway(files, name, url);
    if (format == export_format::dbmate) dbmate(files, name, url, is_up);
    if (format == export_format::goose) goose(files, name, url, is_up);
    if (format == export_format::plain) send(url, name, files.at(name), false);
  }
}

}  // namespace

psql_outcome psql_script(const std::string& url, const std::string& text) {
  const temporary file{text};
  return psql(url, {"-f", file.name});
}

void apply_all(export_format format, const file_texts& files, const std::string& url) {
  run(format, files, url, true);
}

void take_back_all(export_format format, const file_texts& files, const std::string& url) {
  run(format, files, url, false);
}

}  // namespace test
