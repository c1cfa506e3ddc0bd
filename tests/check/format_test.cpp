#include "check/format.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "support/catch.hpp"

namespace {

using nlohmann::json;

/// Two findings with everything that has to be escaped, and a check that found nothing.
check::report odd_report() {
  check::report found;
  found.checks = {"lock", "hooks", "history"};
  const std::string file = "a b,c:100%/ü.sql";
  found.sources.emplace(file, text::source{file, "select 'ü', x\nfrom y;\n"});
  found.add("hooks", file,
            {text::severity::error, "hook_syntax", "100% <wrong> & \"odd\"", {{1, 14}, {1, 15}}, "one\ntwo", {}});
  found.add("hooks", file,
            {text::severity::warning, "hook_rename", "bell \a and \xff", {}, "", {{"here", {{2, 1}, {2, 5}}}}});
  return found;
}

check::report empty_report() {
  check::report found;
  found.checks = {"lock"};
  return found;
}

}  // namespace

TEST_CASE("as text, findings show their line, and the last line counts them") {
  CHECK(check::spell_text(odd_report(), text::colouring::plain) ==
        "a b,c:100%/ü.sql:1:14: error: 100% <wrong> & \"odd\" [hook_syntax]\n"
        "  select 'ü', x\n"
        "              ^\n"
        "  one\n  two\n"
        "a b,c:100%/ü.sql: warning: bell \xEF\xBF\xBD and \xEF\xBF\xBD [hook_rename]\n"
        "a b,c:100%/ü.sql:2:1: note: here\n"
        "  from y;\n"
        "  ^~~~\n"
        "3 checks: 1 error and 1 warning\n");
  CHECK(check::spell_text(empty_report(), text::colouring::plain) == "1 check: nothing found\n");
}

TEST_CASE("as JSON, a report has a stable shape") {
  const json made = json::parse(check::spell_json(odd_report()));
  CHECK(made["format"] == 1);
  CHECK(made["errors"] == 1);
  CHECK(made["warnings"] == 1);
  CHECK(made["checks"] == json::parse(R"([{"name":"lock","errors":0,"warnings":0},
    {"name":"hooks","errors":1,"warnings":1},{"name":"history","errors":0,"warnings":0}])"));
  CHECK(made["findings"][0] == json::parse(R"({"check":"hooks","code":"hook_syntax","severity":"error",
    "message":"100% <wrong> & \"odd\"","file":"a b,c:100%/ü.sql","line":1,"column":14,"end_line":1,"end_column":15,
    "help":"one\ntwo"})"));
  CHECK_FALSE(made["findings"][1].contains("line"));
  CHECK(made["findings"][1]["notes"][0]["line"] == 2);
  CHECK(json::parse(check::spell_json(empty_report()))["findings"] == json::array());
}

TEST_CASE("as SARIF, a report has what version 2.1.0 requires, and what code scanning shows") {
  const json made = json::parse(check::spell_sarif(odd_report()));
  CHECK(made["version"] == "2.1.0");
  CHECK_THAT(made["$schema"].get<std::string>(), test::contains("sarif-2.1.0"));
  REQUIRE(made["runs"].size() == 1);
  const json& run = made["runs"][0];
  const json& driver = run["tool"]["driver"];
  CHECK(driver["name"] == "quern");
  REQUIRE(driver["rules"].size() == 2);
  for (const json& rule : driver["rules"]) {
    CHECK(rule["id"].is_string());
    CHECK_FALSE(rule["shortDescription"]["text"].get<std::string>().empty());
    CHECK_FALSE(rule["help"]["text"].get<std::string>().empty());
    CHECK(rule["defaultConfiguration"]["level"].is_string());
  }
  REQUIRE(run["results"].size() == 2);
  for (const json& result : run["results"]) {
    CHECK(driver["rules"][result["ruleIndex"].get<std::size_t>()]["id"] == result["ruleId"]);
    CHECK_FALSE(result["message"]["text"].get<std::string>().empty());
    const json& place = result["locations"][0]["physicalLocation"];
    CHECK(place["artifactLocation"]["uri"] == "a%20b%2Cc%3A100%25/%C3%BC.sql");
    CHECK(result["partialFingerprints"]["quernFinding/v1"].get<std::string>().size() == 32);
  }
  // Columns count characters, not bytes.
  CHECK(run["columnKind"] == "unicodeCodePoints");
  CHECK(run["results"][0]["locations"][0]["physicalLocation"]["region"] ==
        json::parse(R"({"startLine":1,"startColumn":13,"endLine":1,"endColumn":14})"));
  CHECK_FALSE(run["results"][1]["locations"][0]["physicalLocation"].contains("region"));
  CHECK(run["results"][1]["relatedLocations"][0]["message"]["text"] == "here");
  CHECK(json::parse(check::spell_sarif(empty_report()))["runs"][0]["results"] == json::array());
}

TEST_CASE("a fingerprint stays while its line moves, and two equal findings have two") {
  auto found = odd_report();
  const auto fingerprint = [](const check::report& of, std::size_t result) {
    return json::parse(check::spell_sarif(of))["runs"][0]["results"][result]["partialFingerprints"];
  };
  const json before = fingerprint(found, 0);
  found.findings[0].what.where = {{3, 14}, {3, 15}};
  auto& content = found.sources.begin()->second.content;
  content = "-- one\n-- two\n" + content;
  CHECK(fingerprint(found, 0) == before);
  found.findings.push_back(found.findings[0]);
  CHECK(fingerprint(found, 2) != before);
}

TEST_CASE("as commands of GitHub Actions, a report annotates, with everything escaped that would end a command") {
  CHECK(
      check::spell_github(odd_report()) ==
      "::error file=a b%2Cc%3A100%25/ü.sql,line=1,endLine=1,col=13,endColumn=14,title=the SQL of a hook does not parse "
      "[hook_syntax]::100%25 <wrong> & \"odd\"%0Aone%0Atwo\n"
      "::warning file=a b%2Cc%3A100%25/ü.sql,title=a table%2C column or other object is renamed [hook_rename]::bell "
      "\a and \xff\n");
  CHECK(check::spell_github(empty_report()).empty());
}

TEST_CASE("the summary of a job is a table") {
  CHECK(check::spell_summary(empty_report()) == "### quern check: nothing found\n");
  CHECK_THAT(check::spell_summary(odd_report()),
             test::contains("| error | a b,c:100%/ü.sql:1:14 | 100% &lt;wrong> &amp; \"odd\" | hook_syntax |\n"));
}

TEST_CASE("as JUnit's XML, a check is a test case, and what XML cannot hold is replaced") {
  CHECK(check::spell_junit(odd_report()) ==
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuites name=\"quern check\" tests=\"3\" failures=\"1\" errors=\"0\">\n"
        "  <testsuite name=\"quern check\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"0\">\n"
        "    <testcase classname=\"quern.check\" name=\"lock\"/>\n"
        "    <testcase classname=\"quern.check\" name=\"hooks\">\n"
        "      <failure message=\"1 error\" type=\"finding\">a b,c:100%/ü.sql:1:14: 100% &lt;wrong&gt; &amp; "
        "&quot;odd&quot; [hook_syntax]&#10;one&#10;two&#10;</failure>\n"
        "      <system-out>a b,c:100%/ü.sql: bell \xEF\xBF\xBD and \xEF\xBF\xBD [hook_rename]&#10;</system-out>\n"
        "    </testcase>\n"
        "    <testcase classname=\"quern.check\" name=\"history\"/>\n"
        "  </testsuite>\n"
        "</testsuites>\n");
}

TEST_CASE("files are named from a directory on, where they lie below it") {
  check::report found;
  found.add("lock", "/work/shop/migrations/quern.lock", {});
  found.add("lock", "/elsewhere/quern.lock", {});
  found.sources.emplace("/work/shop/migrations/quern.lock", text::source{"x", "y"});
  check::name_files_from(found, "/work/");
  CHECK(found.findings[0].file == "shop/migrations/quern.lock");
  CHECK(found.findings[1].file == "/elsewhere/quern.lock");
  CHECK(check::source_of(found, found.findings[0]).content == "y");
}
