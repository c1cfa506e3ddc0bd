#include "render/template_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "text/suggestion.hpp"
#include "text/utf8.hpp"

namespace render {

namespace {

constexpr std::string_view opening = "{{";
constexpr std::string_view closing = "}}";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

struct tag {
  std::size_t begin = 0;
  std::size_t end = 0;
  char sigil = 0;  // one of #^/>! or 0
  std::string_view name;
};

/// The line around a tag, when nothing else stands on it.
std::optional<std::pair<std::size_t, std::size_t>> line_of_its_own(std::string_view text, const tag& tag) {
  const auto before = text.rfind('\n', tag.begin);
  const auto begin = before == std::string_view::npos || tag.begin == 0 ? 0 : before + 1;
  auto end = text.find('\n', tag.end);
  end = end == std::string_view::npos ? text.size() : end + 1;
  const bool is_alone =
      trimmed(text.substr(begin, tag.begin - begin)).empty() && trimmed(text.substr(tag.end, end - tag.end)).empty();
  return is_alone ? std::optional{std::pair{begin, end}} : std::nullopt;
}

class checker {
 public:
  checker(const text::source& source, const shape& provided, const std::set<std::string>& objects)
      : text_{source.content}, lines_{source.content}, objects_{objects} {
    scopes_.push_back({&provided, ""});
  }

  checked_template run() && {
    if (const auto wrong = text::find_invalid_utf8(text_)) {
      report({*wrong, *wrong + 1, 0, {}}, "invalid_utf8", "this byte is not UTF-8");
    }
    while (const auto tag = next()) {
      skip(*tag);
      handle(*tag);
    }
    copy_until(text_.size());
    for (const auto& section : open_) report(section.opened, "unclosed_section", "this section is not closed");
    return std::move(result_);
  }

 private:
  struct value_scope {
    const shape* values;
    std::string path;  // `fields/`
  };

  struct open_tag {
    tag opened;
    bool has_scope;
  };

  void report(const tag& tag, std::string code, std::string message, std::string help = {}) {
    result_.diagnostics.push_back({text::severity::error,
                                   std::move(code),
                                   std::move(message),
                                   lines_.span_of(tag.begin, tag.end),
                                   std::move(help),
                                   {}});
  }

  std::optional<tag> next() {
    const auto begin = text_.find(opening, search_);
    if (begin == std::string_view::npos) return std::nullopt;
    const auto inner = begin + opening.size();
    const auto close = text_.find(closing, inner);
    if (close == std::string_view::npos) {
      report({begin, inner, 0, {}}, "unclosed_tag", "this tag is not closed");
      return std::nullopt;
    }
    tag result{begin, close + closing.size(), 0, trimmed(text_.substr(inner, close - inner))};
    search_ = result.end;
    constexpr std::string_view sigils = "#^/>!{&=";
    if (!result.name.empty() && sigils.find(result.name[0]) != std::string_view::npos) {
      result.sigil = result.name[0];
      result.name = trimmed(result.name.substr(1));
    }
    return result;
  }

  void copy_until(std::size_t end) {
    if (end > at_) result_.text += text_.substr(at_, end - at_);
    at_ = std::max(at_, end);
  }

  /// Copies what stands before the tag. The line of a section tag or comment that stands alone leaves nothing.
  void skip(const tag& tag) {
    constexpr std::string_view without_output = "#^/!";
    const bool may_vanish = tag.sigil != 0 && without_output.find(tag.sigil) != std::string_view::npos;
    const auto line = may_vanish ? line_of_its_own(text_, tag) : std::nullopt;
    copy_until(line ? line->first : tag.begin);
    at_ = line ? line->second : tag.end;
  }

  void handle(const tag& tag) {
    switch (tag.sigil) {
      case 0:
        place_text(tag);
        break;
      case '#':
      case '^':
        open_section(tag);
        break;
      case '/':
        close_section(tag);
        break;
      case '>':
        place_object(tag);
        break;
      case '!':
        break;
      case '=':
        report(tag, "unknown_tag", "the delimiters of tags cannot be changed");
        break;
      default:
        report(tag, "unknown_tag", "nothing is escaped: this tag is written {{value}}",
               "a brace of the output next to a tag needs a space between them");
    }
  }

  /// The value and the scope that provides it: the innermost one that has the name.
  std::pair<const shape::member*, const value_scope*> find(const tag& tag) {
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
      const auto place = scope->values->members.find(tag.name);
      if (place == scope->values->members.end()) continue;
      result_.used.insert(scope->path + place->first);
      return {&place->second, &*scope};
    }
    report(tag, "unknown_value", fmt::format("there is no value \"{}\" here", tag.name), suggestion(tag.name));
    return {nullptr, nullptr};
  }

  std::string suggestion(std::string_view name) const {
    std::vector<std::string_view> candidates;
    for (const auto& scope : scopes_) {
      for (const auto& [known, member] : scope.values->members) candidates.push_back(known);
    }
    const auto nearest = text::nearest_name(name, candidates);
    return nearest ? fmt::format("did you mean \"{}\"?", *nearest) : std::string{};
  }

  void place_text(const tag& tag) {
    const auto [value, scope] = find(tag);
    if (value != nullptr && value->is != shape::kind::text) {
      report(tag, "wrong_tag", fmt::format("\"{}\" is no text: it opens a section, {{{{#{}}}}}", tag.name, tag.name));
    }
    // What the engine places as it is, it need not copy through an escaping function.
    fmt::format_to(std::back_inserter(result_.text), "{{{{&{}}}}}", tag.name);
  }

  void open_section(const tag& tag) {
    const auto [value, scope] = find(tag);
    if (value != nullptr && value->is == shape::kind::text) {
      report(tag, "wrong_tag", fmt::format("\"{}\" is a text: it opens no section", tag.name));
    }
    const bool has_scope = tag.sigil == '#' && value != nullptr && value->is == shape::kind::list;
    if (has_scope) scopes_.push_back({&value->items, fmt::format("{}{}/", scope->path, tag.name)});
    open_.push_back({tag, has_scope});
    fmt::format_to(std::back_inserter(result_.text), "{{{{{}{}}}}}", tag.sigil, tag.name);
  }

  void close_section(const tag& tag) {
    if (open_.empty() || open_.back().opened.name != tag.name) {
      report(tag, "unopened_section",
             open_.empty() ? "no section is open here"
                           : fmt::format("the section that is open here is \"{}\"", open_.back().opened.name));
      return;
    }
    if (open_.back().has_scope) scopes_.pop_back();
    open_.pop_back();
    fmt::format_to(std::back_inserter(result_.text), "{{{{/{}}}}}", tag.name);
  }

  void place_object(const tag& tag) {
    const std::string name{tag.name};
    if (!objects_.contains(name)) {
      std::vector<std::string_view> candidates{objects_.begin(), objects_.end()};
      const auto nearest = text::nearest_name(name, candidates);
      report(tag, "unknown_object", fmt::format("there is no object \"{}\" to place here", name),
             nearest ? fmt::format("did you mean \"{}\"?", *nearest) : std::string{});
    }
    result_.objects.push_back(name);
    // No tag for the engine: as a partial, it would look for tags in the object once more, as a value, copy it thrice.
    fmt::format_to(std::back_inserter(result_.text), "{0}{1}{0}", object_mark, name);
  }

  std::string_view text_;
  text::line_index lines_;
  const std::set<std::string>& objects_;
  std::vector<value_scope> scopes_;
  std::vector<open_tag> open_;
  std::size_t at_ = 0;      // copied up to here
  std::size_t search_ = 0;  // tags before are done
  checked_template result_;
};

void add_members(shape& shape, const view& view);

void add_member(shape& shape, std::string_view name, const view_value& value) {
  auto& member = shape.members[std::string{name}];
  if (std::holds_alternative<bool>(value)) {
    member.is = shape::kind::flag;
  } else if (const auto* items = std::get_if<std::vector<view>>(&value)) {
    member.is = shape::kind::list;
    for (const auto& item : *items) add_members(member.items, item);
  }
}

void add_members(shape& shape, const view& view) {
  for (const auto& [name, value] : view.entries()) add_member(shape, name, value);
}

}  // namespace

shape shape_of(const view& view) {
  shape result;
  add_members(result, view);
  return result;
}

checked_template check_template(const text::source& source, const shape& provided,
                                const std::set<std::string>& objects) {
  return checker{source, provided, objects}.run();
}

}  // namespace render
