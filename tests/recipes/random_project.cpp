#include "recipes/random_project.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace test {

namespace {

const std::vector<std::vector<std::string>> ladders{{"int16", "int32", "int64"},
                                                    {"float32", "float64"},
                                                    {"numeric(6,2)", "numeric(8,2)", "numeric(12,4)", "numeric"},
                                                    {"int16[]", "int32[]"},
                                                    {"text"},
                                                    {"text[]"},
                                                    {"way"},
                                                    {"uuid"}};

}  // namespace

std::string random_project::change() {
  using edit = std::string (random_project::*)();
  constexpr std::array<edit, 14> changes{&random_project::add,
                                         &random_project::remove,
                                         &random_project::rename,
                                         &random_project::swap_names,
                                         &random_project::widen,
                                         &random_project::change_presence,
                                         &random_project::change_default,
                                         &random_project::change_limit,
                                         &random_project::change_order,
                                         &random_project::change_enumeration,
                                         &random_project::change_options,
                                         &random_project::change_priorities,
                                         &random_project::change_other_queue,
                                         &random_project::rename_queue};
  return (this->*changes.at(below(changes.size())))();
}

void random_project::release() {
  for (auto& each : fields_) {
    if (!each.released_name.empty() && each.released_name != each.name) each.renamed_from = each.released_name;
    if (below(2) == 0) each.renamed_from.clear();
    each.released_name = each.name;
    each.released = each.is;
  }
  if (below(2) == 0) removed_.clear();
  if (!released_queue_.empty() && released_queue_ != queue_) former_queue_ = released_queue_;
  if (below(2) == 0) former_queue_.clear();
  released_queue_ = queue_;
  queue_names_.push_back(queue_);
  has_released_other_ = has_released_other_ || has_other_;
}

std::string random_project::declaration() const {
  std::string text = "[project]\nname = \"shop\"\n[enums.way]\nvalues = [\"v0\"";
  for (std::size_t i = 1; i < values_; ++i) text += fmt::format(", \"v{}\"", i);
  text += fmt::format("]\n[queues.{}]\nlease = \"{}s\"\ndead_letter = {}\ngrants = {{ produce = [\"web\"]{} }}\n",
                      queue_, options_ + 10, options_ % 3 != 0, options_ % 2 != 0 ? ", consume = [\"mailer\"]" : "");
  if (options_ % 5 < 2) text += fmt::format("expires = \"{}m\"\n", options_ + 1);
  if (options_ % 7 < 3) text += "headers = true\n";
  if (priorities_ > 0) text += fmt::format("priorities = {}\n", priorities_);
  text += unique();
  const bool is_other_queue = !released_queue_.empty() && released_queue_ != queue_;
  if (const auto& former = is_other_queue ? released_queue_ : former_queue_; !former.empty() && former != queue_)
    text += fmt::format("renamed_from = \"{}\"\n", former);
  text += fmt::format("[queues.{}.payload]\n", queue_);
  for (const auto& each : fields_) {
    const bool is_renamed = !each.released_name.empty() && each.released_name != each.name;
    const auto& former = is_renamed ? each.released_name : each.renamed_from;
    text += fmt::format("{} = {{ type = \"{}\"{}{}{} }}\n", each.name, type_of(each.is), each.limit,
                        each.is.has_default ? ", default = " + each.value : std::string{},
                        former.empty() ? std::string{} : fmt::format(", renamed_from = \"{}\"", former));
  }
  text += fmt::format("[queues.{}.removed]\n", queue_);
  for (const auto& line : removed_) text += line;
  if (has_other_) {
    text += "[queues.other]\npayload = \"jsonb\"\n";
  } else if (has_released_other_) {
    text += "[removed_queues.other]\n";
  }
  return text;
}

/// Half of the time, by one field or two.
std::string random_project::unique() const {
  std::vector<std::string> names;
  for (const auto& each : fields_) {
    const auto& type = ladders.at(each.is.ladder).front();
    const bool is_limited = type != "text" || each.limit.starts_with(", max_length");
    if (type != "float32" && !type.ends_with("[]") && type_of(each.is).find("numeric") == std::string::npos &&
        is_limited)
      names.push_back(each.name);
  }
  if (options_ % 4 < 2 || names.empty()) return {};
  names.resize(std::min<std::size_t>(names.size(), options_ % 3 + 1));
  return fmt::format("unique = {{ fields = [\"{}\"], {} }}\n", fmt::join(names, "\", \""),
                     options_ % 5 < 3 ? "while = \"pending\"" : "within = \"1h\"");
}

std::string random_project::type_of(const shape& of) {
  return ladders.at(of.ladder).at(of.width) + (of.is_optional ? "?" : "");
}

bool random_project::is_text(const field& of) {
  return ladders.at(of.is.ladder).front() == "text";
}

std::string random_project::random_default(const field& of) {
  const auto& type = ladders.at(of.is.ladder).front();
  if (type.ends_with("[]")) return "[]";
  if (type == "text") return fmt::format("\"{}\"", below(10));
  if (type == "way") return fmt::format("\"v{}\"", below(2));
  if (type == "uuid") return fmt::format("\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a{:02}\"", below(100));
  if (type.starts_with("numeric")) return fmt::format("\"{}\"", below(100));
  return fmt::format("{}{}", below(100), type.starts_with("float") ? ".5" : "");
}

std::string random_project::fresh_name() {
  return fmt::format("f{}", ++names_);
}

random_project::field& random_project::any() {
  return fields_[below(fields_.size())];
}

std::string random_project::add() {
  field added{.name = fresh_name(), .is = {.ladder = below(ladders.size())}};
  added.is.width = below(ladders[added.is.ladder].size());
  added.is.is_optional = below(2) == 0;
  added.is.has_default = !added.is.is_optional || below(2) == 0;
  added.value = random_default(added);
  fields_.insert(fields_.begin() + static_cast<std::ptrdiff_t>(below(fields_.size() + 1)), added);
  return "adds " + added.name;
}

std::string random_project::remove() {
  if (fields_.size() == 1) return "removes nothing";
  const auto place = fields_.begin() + static_cast<std::ptrdiff_t>(below(fields_.size()));
  const auto gone = *place;
  // Nothing can be said of a field whose name another one has taken.
  const auto has_its_name = [&](const field& one) { return one.name == gone.released_name; };
  if (gone.released_name != gone.name && std::any_of(fields_.begin(), fields_.end(), has_its_name))
    return "removes nothing";
  fields_.erase(place);
  if (gone.released_name.empty()) return "removes the new " + gone.name;
  const bool can_stand_alone = gone.released.is_optional || gone.released.has_default;
  if (!can_stand_alone || below(2) == 0) {
    auto as_released = gone;
    as_released.is = gone.released;
    removed_.push_back(fmt::format("{} = {{ type = \"{}\", default = {} }}\n", gone.released_name,
                                   type_of(gone.released), random_default(as_released)));
  }
  return "removes " + gone.released_name;
}

std::string random_project::rename() {
  auto& one = any();
  one.name = fresh_name();
  return fmt::format("renames {} to {}", one.released_name, one.name);
}

std::string random_project::swap_names() {
  auto& a = any();
  auto& b = any();
  // What is said of a former name must stay true.
  if (&a == &b || a.released_name != a.name || b.released_name != b.name || a.renamed_from == b.name ||
      b.renamed_from == a.name)
    return "swaps nothing";
  std::swap(a.name, b.name);
  return fmt::format("swaps {} and {}", a.name, b.name);
}

std::string random_project::widen() {
  auto& one = any();
  if (one.is.width + 1 == ladders[one.is.ladder].size()) return "widens nothing";
  ++one.is.width;
  return "widens " + one.name;
}

std::string random_project::change_presence() {
  auto& one = any();
  one.is.is_optional = !one.is.is_optional;
  if (!one.is.is_optional && !one.is.has_default) {
    one.is.has_default = true;
    one.value = random_default(one);
  }
  return (one.is.is_optional ? "makes optional " : "makes required ") + one.name;
}

std::string random_project::change_default() {
  auto& one = any();
  const bool may_go = one.is.is_optional || (!one.released_name.empty() && !one.released.is_optional);
  one.is.has_default = !one.is.has_default || !may_go;
  one.value = random_default(one);
  return "changes the default of " + one.name;
}

std::string random_project::change_limit() {
  auto& one = any();
  if (!is_text(one)) return "limits nothing";
  one.limit = below(3) == 0 ? "" : fmt::format(", max_length = {}", below(100) + 1);
  if (below(3) == 0) one.limit += ", pattern = '^[0-9a-z]*$'";
  return "limits " + one.name;
}

std::string random_project::change_order() {
  std::shuffle(fields_.begin(), fields_.end(), random_);
  return "shuffles";
}

std::string random_project::change_enumeration() {
  ++values_;
  return "adds a value";
}

std::string random_project::change_options() {
  options_ += below(4);
  return "changes options";
}

std::string random_project::change_priorities() {
  priorities_ = below(2) == 0 ? 0 : below(4) + 2;
  return fmt::format("has {} priorities", priorities_);
}

std::string random_project::change_other_queue() {
  has_other_ = !has_other_;
  return has_other_ ? "adds a queue" : "removes a queue";
}

std::string random_project::rename_queue() {
  const bool goes_back = !queue_names_.empty() && below(2) == 0;
  queue_ = goes_back ? queue_names_[below(queue_names_.size())] : "post_" + fresh_name();
  return "calls the queue " + queue_;
}

}  // namespace test
