#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "render/template_text.hpp"
#include "render/templates.hpp"
#include "render/views.hpp"
#include "support/catch.hpp"
#include "text/diagnostic.hpp"

namespace {

render::shape provided() {
  render::view field;
  field.set("column", "order_id");
  field.set_list("lines", {});
  render::view root;
  root.set("queue", "email");
  root.set_flag("has_doc", true);
  root.set_list("fields", {field});
  return render::shape_of(root);
}

render::checked_template check(const std::string& content) {
  return render::check_template({"templates/a.mustache", content}, provided(), {"claim"});
}

std::string said_of(const std::string& content) {
  const text::source source{"templates/a.mustache", content};
  return text::spell(check(content).diagnostics, source);
}

/// Every value of a shape, with the lists in which it stands.
void collect(const render::shape& shape, const std::string& path, std::set<std::string>& out) {
  for (const auto& [name, member] : shape.members) {
    out.insert(path + name);
    collect(member.items, path + name + "/", out);
  }
}

}  // namespace

TEST_CASE("a template of values, lists and flags is in order") {
  const auto checked = check(
      "{{! says what it is }}\n{{queue}}: {{#fields}}{{column}} of {{queue}}, {{/fields}}{{^has_doc}}none{{/has_doc}}\n"
      "{{> claim}}\n");
  CHECK(checked.diagnostics.empty());
  CHECK(checked.used == std::set<std::string>{"queue", "fields", "fields/column", "has_doc"});
  CHECK(checked.objects == std::vector<std::string>{"claim"});
}

TEST_CASE("a value that is not provided is told at its place, with the nearest one") {
  CHECK(said_of("a\n  {{colum}}\n") ==
        R"(templates/a.mustache:2:3: error: there is no value "colum" here [unknown_value]
    {{colum}}
    ^~~~~~~~~
)");
  CHECK(said_of("{{#fields}}{{colum}}{{/fields}}") ==
        R"(templates/a.mustache:1:12: error: there is no value "colum" here [unknown_value]
  {{#fields}}{{colum}}{{/fields}}
             ^~~~~~~~~
  did you mean "column"?
)");
}

TEST_CASE("a value of a list is not known behind the list") {
  CHECK_THAT(said_of("{{#fields}}{{/fields}}{{column}}"), test::contains(":1:23: error: there is no value \"column\""));
}

TEST_CASE("texts, flags and lists are not taken for each other") {
  CHECK_THAT(said_of("{{fields}}"), test::contains("\"fields\" is no text: it opens a section, {{#fields}}"));
  CHECK_THAT(said_of("{{has_doc}}"), test::contains("\"has_doc\" is no text"));
  CHECK_THAT(said_of("{{#queue}}{{/queue}}"), test::contains("\"queue\" is a text: it opens no section"));
}

TEST_CASE("sections must be closed in order") {
  CHECK_THAT(said_of("{{#has_doc}}"), test::contains(":1:1: error: this section is not closed [unclosed_section]"));
  CHECK_THAT(said_of("{{/has_doc}}"), test::contains("no section is open here [unopened_section]"));
  CHECK_THAT(said_of("{{#fields}}{{#has_doc}}{{/fields}}{{/has_doc}}"),
             test::contains(":1:24: error: the section that is open here is \"has_doc\""));
}

TEST_CASE("what Mustache knows and Quern does not offer is refused") {
  CHECK_THAT(said_of("{{{queue}}}"), test::contains("nothing is escaped: this tag is written {{value}} [unknown_tag]"));
  CHECK_THAT(said_of("{{&queue}}"), test::contains("nothing is escaped"));
  CHECK_THAT(said_of("{{=<% %>=}}"), test::contains("the delimiters of tags cannot be changed"));
  CHECK_THAT(said_of("{{> clam}}"), test::contains("there is no object \"clam\" to place here [unknown_object]"));
  CHECK_THAT(said_of("{{> clam}}"), test::contains("did you mean \"claim\"?"));
  CHECK_THAT(said_of("a {{queue\n"), test::contains(":1:3: error: this tag is not closed [unclosed_tag]"));
  CHECK_THAT(said_of("{{}}"), test::contains("there is no value \"\" here"));
  CHECK_THAT(said_of("a\n\xff"), test::contains(":2:1: error: this byte is not UTF-8 [invalid_utf8]"));
}

TEST_CASE("all problems of a template are told at once") {
  CHECK(check("{{a}}{{queue}}{{b}}{{#has_doc}}").diagnostics.size() == 3);
}

TEST_CASE("the templates of the program are in order") {
  const auto templates = render::check_templates(render::load_templates({}));
  for (const auto& [source, diagnostics] : templates.problems) FAIL_CHECK(text::spell(diagnostics, source));
  CHECK(templates.all.size() > 30);
}

TEST_CASE("every object is placed by some file") {
  const auto templates = render::check_templates(render::load_templates({}));
  std::set<std::string> placed;
  for (const auto& [name, checked] : templates.all) {
    for (const auto& object : checked.objects) placed.insert(name.substr(0, name.rfind('/') + 1) + object);
  }
  for (const auto& [name, checked] : templates.all) {
    // The hints of a version are placed before everything of all versions, by `versions`.
    if (render::is_file_template(name) || render::object_name(name) == "hints") continue;
    INFO(name);
    CHECK(placed.contains(name.substr(0, name.rfind('/') + 1) + std::string{render::object_name(name)}));
  }
}

TEST_CASE("every value that a view provides is used by some template") {
  const auto templates = render::check_templates(render::load_templates({}));
  std::map<std::string, std::set<std::string>> unused;
  const auto group = [](const std::string& name) {
    // Parts about streams stand in for some of those about queues, and are given the same.
    if (name.starts_with("sql/stream_change/")) return std::string{"sql/change/"};
    return name.starts_with("sql/") ? name.substr(0, name.rfind('/') + 1) : name;
  };
  for (const auto& [name, checked] : templates.all) collect(render::provided_to(name), "", unused[group(name)]);
  for (const auto& [name, checked] : templates.all) {
    for (const auto& value : checked.used) unused[group(name)].erase(value);
  }
  for (const auto& [name, values] : unused) {
    for (const auto& value : values) FAIL_CHECK(name << " provides " << value << ", which no template uses");
  }
}
