#include "contract/diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_set>

namespace contract {

namespace {

text::diagnostic problem(std::string code, std::string message, const text::span& where, std::string help) {
  return {text::severity::error, std::move(code), std::move(message), where, std::move(help), {}};
}

/// A value for a message: long ones are cut, because the place is shown below anyway.
std::string quoted(std::string_view value) {
  constexpr std::size_t longest = 60;
  if (value.size() <= longest) return fmt::format("\"{}\"", value);
  auto end = longest;
  while (end > 0 && (static_cast<unsigned char>(value[end]) & 0xC0U) == 0x80U) --end;
  return fmt::format("\"{}…\"", value.substr(0, end));
}

const field* find_field(const payload_contract& contract, std::string_view name) {
  const auto has_name = [&](const field& field) { return field.name == name; };
  const auto place = std::find_if(contract.fields.begin(), contract.fields.end(), has_name);
  return place == contract.fields.end() ? nullptr : &*place;
}

/// What distinguishes two fields of one name, in words.
std::string difference(const field& before, const field& now) {
  if (before.type != now.type) return fmt::format("its type was {} and is {}", before.type, now.type);
  if (before.default_value != now.default_value) return "its default has changed";
  return "its constraints have changed";
}

class comparison {
 public:
  comparison(const declaration::project& project, const lock& lock) : project_{project}, lock_{lock} {}

  changes run() && {
    result_.has_new_core = find_line(lock_, core_line) == nullptr;
    if (!result_.has_new_core) compare_project();
    for (const auto& enumeration : project_.enumerations) compare_enumeration(enumeration);
    for (const auto& queue : project_.queues) compare_queue(queue);
    find_removed();
    text::sort_by_position(result_.diagnostics);
    return std::move(result_);
  }

 private:
  void refuse(std::string code, std::string message, const text::span& where, std::string help) {
    result_.diagnostics.push_back(problem(std::move(code), std::move(message), where, std::move(help)));
  }

  void compare_project() {
    const auto compare = [&](std::string_view key, const std::string& before, const std::string& now) {
      if (before == now) return;
      refuse(fmt::format("{}_changed", key), fmt::format("the project's {} was \"{}\" and is \"{}\"", key, before, now),
             {},
             fmt::format("its migrations are released under the old {0}: keep the {0}, or start a new project in "
                         "another directory",
                         key));
    };
    compare("name", lock_.project, project_.name);
    compare("schema", lock_.schema, project_.schema);
  }

  void compare_enumeration(const declaration::enumeration& enumeration) {
    const auto& known = lock_.enumerations;
    const auto has_name = [&](const locked_enumeration& before) { return before.name == enumeration.name; };
    const auto before = std::find_if(known.begin(), known.end(), has_name);
    if (before == known.end()) {
      result_.new_enumerations.push_back(&enumeration);
    } else if (before->values != enumeration.values) {
      refuse("enumeration_changed", fmt::format("the values of enumeration \"{}\" have changed", enumeration.name),
             enumeration.where,
             fmt::format("released values are {}; evolving enumerations is not built yet: keep them, or declare a new "
                         "enumeration under another name",
                         fmt::join(before->values, ", ")));
    } else if (before->doc != enumeration.doc) {
      refuse("enumeration_changed", fmt::format("the doc of enumeration \"{}\" has changed", enumeration.name),
             enumeration.where,
             fmt::format("it is released as {}, and a migration that changes the comment is not built yet: keep it",
                         quoted(before->doc)));
    }
  }

  void compare_queue(const declaration::queue& queue) {
    const auto* before = find_line(lock_, queue.name);
    if (before == nullptr) {
      result_.new_queues.push_back(&queue);
      return;
    }
    const auto& released = before->contracts.back();
    compare_payload(queue, released, contract_of(queue, released.version));
    compare_options(queue, before->options);
  }

  void compare_payload(const declaration::queue& queue, const payload_contract& before, const payload_contract& now) {
    if (before == now) return;
    const auto count = result_.diagnostics.size();
    if (before.is_schemaless != now.is_schemaless) {
      refuse_payload(queue, queue.where,
                     before.is_schemaless ? "it was schemaless and has fields" : "it had fields and is schemaless");
      return;
    }
    compare_fields(queue, before, now);
    // Nothing was said about a single field: it is their order that differs.
    if (result_.diagnostics.size() == count) refuse_payload(queue, queue.where, "the order of its fields is another");
  }

  void compare_fields(const declaration::queue& queue, const payload_contract& before, const payload_contract& now) {
    for (std::size_t i = 0; i < now.fields.size(); ++i) {
      const auto& field = now.fields[i];
      const auto& where = queue.payload[i].where;
      const auto* released = find_field(before, field.name);
      if (released == nullptr) {
        refuse_payload(queue, where, fmt::format("the field \"{}\" is new", field.name));
      } else if (*released != field) {
        refuse_payload(queue, where, fmt::format("the field \"{}\": {}", field.name, difference(*released, field)));
      }
    }
    for (const auto& field : before.fields) {
      if (find_field(now, field.name) == nullptr) {
        refuse_payload(queue, queue.where, fmt::format("the field \"{}\" is gone", field.name));
      }
    }
  }

  void refuse_payload(const declaration::queue& queue, const text::span& where, const std::string& what) {
    refuse("contract_changed", fmt::format("the payload of queue \"{}\" has changed: {}", queue.name, what), where,
           fmt::format("contract v{} is released, and programs depend on it; evolving contracts is not built yet: take "
                       "the change back, or declare a new queue under another name",
                       version_of(queue, lock_)));
  }

  void compare_options(const declaration::queue& queue, const std::vector<option>& before) {
    const auto now = options_of(queue);
    for (const auto& [key, value] : now) {
      const auto* released = find_option(before, key);
      if (released == nullptr || *released != value) refuse_option(queue, key, released, &value);
    }
    for (const auto& [key, value] : before) {
      if (find_option(now, key) == nullptr) refuse_option(queue, key, &value, nullptr);
    }
  }

  static const std::string* find_option(const std::vector<option>& options, std::string_view key) {
    const auto has_key = [&](const option& option) { return option.first == key; };
    const auto place = std::find_if(options.begin(), options.end(), has_key);
    return place == options.end() ? nullptr : &place->second;
  }

  void refuse_option(const declaration::queue& queue, std::string_view key, const std::string* before,
                     const std::string* now) {
    const auto spelled = [](const std::string* value) { return value == nullptr ? "not set" : quoted(*value); };
    refuse(
        "option_changed",
        fmt::format("{} of queue \"{}\" was {} and is {}", key, queue.name, spelled(before), spelled(now)), queue.where,
        "it is part of a released migration, and a migration that changes it is not built yet: take the change back, "
        "or declare a new queue under another name");
  }

  void find_removed() {
    std::unordered_set<std::string_view> declared;
    for (const auto& queue : project_.queues) declared.insert(queue.name);
    for (const auto& line : lock_.lines) {
      if (line.name == core_line || declared.contains(line.name)) continue;
      refuse(
          "queue_removed", fmt::format("the queue \"{}\" is not declared any more", line.name), {},
          "its tables may hold messages, and a migration that drops them is not built yet: declare it again as it was");
    }
    declared.clear();
    for (const auto& enumeration : project_.enumerations) declared.insert(enumeration.name);
    for (const auto& enumeration : lock_.enumerations) {
      if (declared.contains(enumeration.name)) continue;
      refuse("enumeration_removed", fmt::format("the enumeration \"{}\" is not declared any more", enumeration.name),
             {}, "a migration that drops its type is not built yet: declare it again as it was");
    }
  }

  const declaration::project& project_;
  const lock& lock_;
  changes result_;
};

}  // namespace

changes compare(const declaration::project& project, const lock& lock) {
  return comparison{project, lock}.run();
}

int version_of(const declaration::queue& queue, const lock& lock) {
  const auto* line = find_line(lock, queue.name);
  return line == nullptr ? 1 : line->contracts.back().version;
}

}  // namespace contract
