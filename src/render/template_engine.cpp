#include "render/template_engine.hpp"

#include <algorithm>
#include <cassert>
#include <kainjow/mustache.hpp>

namespace render {

namespace {

using kainjow::mustache::data;
using kainjow::mustache::list;

void fill(data& out, const view& view);

data list_of(const std::vector<view>& items) {
  data result{list(items.size())};
  // The engine copies what is put into a list, and lists hold most of a view: they are filled in place.
  auto& places = const_cast<list&>(result.list_value());
  for (std::size_t i = 0; i < items.size(); ++i) fill(places[i], items[i]);
  return result;
}

void fill(data& out, const view& view) {
  for (const auto& [name, value] : view.entries()) {
    auto& place = out[std::string{name}];
    if (const auto* text = std::get_if<std::string>(&value)) {
      place = data{*text};
    } else if (const auto* flag = std::get_if<bool>(&value)) {
      place = data{*flag};
    } else {
      place = list_of(std::get<std::vector<render::view>>(value));
    }
  }
}

// The engine takes every blank and line end for a part of its own and walks over each of them whenever it renders. In
// bytes that no UTF-8 text has, a stretch between two tags is one part, and rendering costs a fifth.
constexpr char hidden_blank = '\xff';
constexpr char hidden_line_end = '\xfe';
constexpr char hidden_tab = '\xfd';

char hidden(char c) {
  return c == ' ' ? hidden_blank : c == '\n' ? hidden_line_end : c == '\t' ? hidden_tab : c;
}

/// Without a branch, so that many bytes are done at once.
void show_whitespace(char* begin, const char* end) {
  for (; begin != end; ++begin) {
    const char c = *begin;
    char shown = c;
    shown = c == hidden_blank ? ' ' : shown;
    shown = c == hidden_line_end ? '\n' : shown;
    shown = c == hidden_tab ? '\t' : shown;
    *begin = shown;
  }
}

/// The text with the whitespace between its tags hidden.
std::string hide_whitespace(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto tag = std::min(text.find("{{", at), text.size());
    for (const char c : text.substr(at, tag - at)) result += hidden(c);
    if (tag == text.size()) break;
    at = text.find("}}", tag) + 2;
    result += text.substr(tag, at - tag);
  }
  return result;
}

}  // namespace

struct engine_view::content {
  data root;
};

engine_view::engine_view(const view& view) : content_{std::make_unique<content>()} {
  fill(content_->root, view);
}

engine_view::engine_view(engine_view&&) noexcept = default;
engine_view& engine_view::operator=(engine_view&&) noexcept = default;
engine_view::~engine_view() = default;

struct engine_template::content {
  kainjow::mustache::mustache parsed;
};

engine_template::engine_template(const std::string& text)
    : content_{std::make_unique<content>(content{kainjow::mustache::mustache{hide_whitespace(text)}})} {
  assert(content_->parsed.is_valid());
}

engine_template::engine_template(engine_template&&) noexcept = default;
engine_template& engine_template::operator=(engine_template&&) noexcept = default;
engine_template::~engine_template() = default;

void engine_template::render(const engine_view& view, std::string& out) {
  const auto begin = out.size();
  content_->parsed.render(view.content_->root, [&out](const std::string& part) { out += part; });
  assert(content_->parsed.is_valid());
  show_whitespace(out.data() + begin, out.data() + out.size());
}

}  // namespace render
