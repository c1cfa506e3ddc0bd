#include "render/sql_objects.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pg_query.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace render {

namespace {

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// Behind white space and `-- …`.
std::size_t skip_blank(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    if (is_space(text[at])) {
      ++at;
    } else if (text.substr(at, 2) == "--") {
      at = std::min(text.find('\n', at), text.size());
    } else {
      break;
    }
  }
  return at;
}

/// Behind the quotes or brackets that open here.
std::size_t skip_group(std::string_view text, std::size_t at) {
  const char open = text[at];
  if (open != '(') {
    const auto end = text.find(open, at + 1);
    return end == std::string_view::npos ? text.size() : end + 1;
  }
  for (++at; at < text.size() && text[at] != ')';) {
    const bool is_group = text[at] == '(' || text[at] == '\'' || text[at] == '"';
    at = is_group ? skip_group(text, at) : at + 1;
  }
  return std::min(at + 1, text.size());
}

std::vector<std::string> split(const std::string& sql) {
  auto parts = pg_query_split_with_parser(sql.c_str());
  std::vector<std::string> result;
  std::string error = parts.error == nullptr ? std::string{} : parts.error->message;
  for (int i = 0; i < parts.n_stmts; ++i) {
    const auto begin = static_cast<std::size_t>(parts.stmts[i]->stmt_location);
    const auto end = begin + static_cast<std::size_t>(parts.stmts[i]->stmt_len);
    const auto start = skip_blank(sql, begin);
    result.push_back(sql.substr(start, end - start));
  }
  pg_query_free_split_result(parts);
  if (!error.empty()) throw std::runtime_error{fmt::format("what a migration does cannot be read: {}", error)};
  return result;
}

}  // namespace

/// A statement, word by word: names with their quotes, groups in brackets, commas.
class sql_objects::statement {
 public:
  explicit statement(std::string_view text) : text_{text} {}

  /// Empty at the end.
  std::string_view next() {
    const auto begin = at_ = skip_blank(text_, at_);
    if (begin == text_.size()) return {};
    if (text_[begin] == '(' || text_[begin] == '\'') {
      at_ = skip_group(text_, begin);
    } else if (text_[begin] == ',') {
      ++at_;
    } else {
      while (at_ < text_.size() && !is_space(text_[at_]) && text_[at_] != '(' && text_[at_] != ',') {
        at_ = text_[at_] == '"' ? skip_group(text_, at_) : at_ + 1;
      }
    }
    return text_.substr(begin, at_ - begin);
  }

  std::string_view peek() {
    const auto here = at_;
    const auto word = next();
    at_ = here;
    return word;
  }

  /// Takes the word when it is next.
  bool take(std::string_view word) {
    if (peek() != word) return false;
    next();
    return true;
  }

  /// Names with commas in between; what stands in brackets behind one belongs to it.
  std::vector<std::string> names() {
    std::vector<std::string> result;
    do {
      result.emplace_back(next());
      if (peek().starts_with('(')) next();
    } while (take(","));
    return result;
  }

  std::size_t position() const { return at_; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

std::string_view word_of(object_kind kind) {
  constexpr std::array words{"sequence", "function", "view", "trigger"};
  return words.at(static_cast<std::size_t>(kind));
}

const sql_object* sql_objects::find(std::string_view name) const {
  const auto place = std::ranges::find(objects_, name, &sql_object::name);
  return place == objects_.end() ? nullptr : &*place;
}

bool sql_objects::owns(const std::string& name) const {
  return tables_.contains(name) || find(name) != nullptr;
}

void sql_objects::create(sql_object object) {
  const auto place = std::ranges::find(objects_, object.name, &sql_object::name);
  if (place != objects_.end()) {
    object.comment = std::move(place->comment);
    *place = std::move(object);
    return;
  }
  if (object.is == object_kind::function) rights_.insert({"execute", "", "function", object.name, "public"});
  objects_.push_back(std::move(object));
}

void sql_objects::drop(std::string_view name) {
  std::erase_if(objects_, [&](const sql_object& one) { return one.name == name || one.table == name; });
  std::erase_if(rights_, [&](const sql_right& one) { return one.object == name; });
  if (const auto place = tables_.find(name); place != tables_.end()) tables_.erase(place);
}

void sql_objects::apply(const std::string& sql) {
  for (const auto& text : split(sql)) apply_one(text);
}

void sql_objects::apply_one(const std::string& text) {
  statement words{text};
  const auto verb = words.next();
  if (verb == "comment") return comment_on(words, text);
  if (verb == "grant" || verb == "revoke") return change_rights(words, verb == "grant");
  if (verb == "alter") return words.take("table") ? change_table(words) : void();
  if (verb == "drop") {
    words.next();
    if (words.take("if")) words.next();
    for (const auto& name : words.names()) drop(name);
    return;
  }
  if (verb != "create") return;
  const auto begin = words.position();
  if (words.take("or")) words.next();
  const auto behind = words.position();
  const auto what = words.next();
  const auto name = std::string{words.next()};
  if (what == "table") tables_.insert(name);
  for (const auto kind : {object_kind::sequence, object_kind::function, object_kind::view, object_kind::trigger}) {
    if (what != word_of(kind)) continue;
    sql_object made{.is = kind, .name = name, .text = text.substr(0, begin) + text.substr(behind) + ";"};
    if (kind == object_kind::trigger) {
      while (words.peek() != "on" && !words.peek().empty()) words.next();
      words.next();
      made.table = words.next();
    }
    create(std::move(made));
  }
}

void sql_objects::comment_on(statement& words, const std::string& text) {
  words.next();
  words.next();
  const auto name = words.next();
  const auto place = std::ranges::find(objects_, name, &sql_object::name);
  if (place == objects_.end()) return;
  if (words.peek().starts_with('(')) words.next();
  place->comment = text.ends_with(" is null") ? std::string{} : text + ";";
}

void sql_objects::change_table(statement& words) {
  const auto table = std::string{words.next()};
  for (auto word = words.next(); !word.empty(); word = words.next()) {
    if (word != "drop" || !words.take("column")) continue;
    const auto column = words.next();
    std::erase_if(rights_, [&](const sql_right& one) { return one.object == table && one.column == column; });
  }
}

void sql_objects::change_rights(statement& words, bool is_grant) {
  struct privilege {
    std::string name;
    std::vector<std::string> columns;
  };

  std::vector<privilege> privileges;
  do {
    privileges.push_back({std::string{words.next()}, {""}});
    auto& one = privileges.back();
    if (!words.peek().starts_with('(')) continue;
    auto columns = words.next();
    columns.remove_prefix(1);
    columns.remove_suffix(1);
    one.columns = statement{columns}.names();
  } while (words.take(","));
  words.next();
  std::string kind;
  for (const auto* each : {"function", "sequence", "schema"}) {
    if (words.take(each)) kind = each;
  }
  const auto objects = words.names();
  words.next();
  for (const auto& role : words.names()) {
    for (const auto& object : objects) {
      for (const auto& [name, columns] : privileges) {
        for (const auto& column : columns) change_right({name, column, kind, object, role}, is_grant);
      }
    }
  }
}

/// What is taken of a table is taken of its columns as well.
void sql_objects::change_right(const sql_right& right, bool is_grant) {
  if (is_grant) {
    rights_.insert(right);
    return;
  }
  std::erase_if(rights_, [&](const sql_right& one) {
    return one.object == right.object && one.role == right.role &&
           (right.privilege == "all" || one.privilege == right.privilege) &&
           (right.column.empty() || one.column == right.column);
  });
}

std::string drop_all(const std::string& created) {
  sql_objects made;
  made.apply(created);
  std::string result;
  for (auto one = made.all().rbegin(); one != made.all().rend(); ++one) {
    result += fmt::format("drop {} {};\n", word_of(one->is), one->name);
  }
  return result + fmt::format("drop table {};", fmt::join(made.tables(), ", "));
}

std::string forward_part(const std::string& migration) {
  std::string result;
  bool is_forward = true;
  for (std::size_t at = 0; at < migration.size();) {
    const auto end = std::min(migration.find('\n', at), migration.size() - 1) + 1;
    auto line = std::string_view{migration}.substr(at, end - at);
    at = end;
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("-- step: ")) is_forward = true;
    if (line == "-- probe" || line == "-- cleanup" || line == "-- reverse") is_forward = false;
    if (is_forward) (result += line) += '\n';
  }
  return result;
}

std::string signature_of(const sql_object& function) {
  constexpr std::array behind{"language", "security", "volatile", "stable", "immutable", "set",    "as",     "begin",
                              "cost",     "strict",   "parallel", "called", "leakproof", "return", "window", "not"};
  std::string result;
  std::string_view text = function.text;
  text.remove_prefix(std::min(text.find(function.name) + function.name.size(), text.size()));
  for (std::size_t at = skip_blank(text, 0); at < text.size(); at = skip_blank(text, at)) {
    const auto begin = at;
    if (text[at] == '(') {
      at = skip_group(text, at);
    } else {
      while (at < text.size() && !is_space(text[at]) && text[at] != '(') ++at;
    }
    const auto word = text.substr(begin, at - begin);
    if (std::ranges::find(behind, word) != behind.end()) break;
    for (std::size_t i = 0; i < word.size(); ++i) {
      if (!is_space(word[i])) {
        result += word[i];
      } else if (!result.ends_with(' ')) {
        result += ' ';
      }
    }
    if (!result.ends_with(' ')) result += ' ';
  }
  return result;
}

bool mentions(std::string_view text, std::string_view name) {
  for (auto at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    const auto end = at + name.size();
    const bool begins = at == 0 || !is_word(text[at - 1]);
    if (begins && (end == text.size() || !is_word(text[end]))) return true;
  }
  return false;
}

}  // namespace render
