#include "contract/contract.hpp"

#include <set>
#include <string>
#include <utility>

#include "contract/sha256.hpp"
#include "support/catch.hpp"

namespace {

contract::payload_contract two_texts() {
  return {
      "email", 1, false, {{.name = "a", .type = "text", .column = "a"}, {.name = "b", .type = "text", .column = "b"}}};
}

}  // namespace

TEST_CASE("SHA-256 is spelled in hexadecimal") {
  CHECK(contract::sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(contract::sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("a checksum does not see how lines end, but sees a carriage return in a line") {
  CHECK(contract::checksum("a\r\nb\r\n") == contract::sha256("a\nb\n"));
  CHECK(contract::checksum("a\rb\n") == contract::sha256("a\rb\n"));
  CHECK(contract::checksum("a\r") == contract::sha256("a\r"));
}

TEST_CASE("every part of a contract that programs depend on changes its fingerprint") {
  const auto before = two_texts();
  const auto with_first = [&](auto change) {
    auto changed = before;
    change(changed.fields[0]);
    return contract::fingerprint(changed);
  };
  const std::set<std::string> fingerprints{
      contract::fingerprint(before),
      contract::fingerprint({"mail", 1, false, before.fields}),
      contract::fingerprint({"email", 2, false, before.fields}),
      contract::fingerprint({"email", 1, true, before.fields}),
      contract::fingerprint({"email", 1, false, {before.fields[1], before.fields[0]}}),
      with_first([](contract::field& field) { field.name = "c"; }),
      with_first([](contract::field& field) { field.type = "text?"; }),
      with_first([](contract::field& field) { field.default_value = ""; }),
      with_first([](contract::field& field) { field.min = "1"; }),
      with_first([](contract::field& field) { field.max = "1"; }),
      with_first([](contract::field& field) { field.max_length = 1; }),
      with_first([](contract::field& field) { field.pattern = "1"; }),
      with_first([](contract::field& field) { field.values = {"1"}; }),
      with_first([](contract::field& field) { field.column = "a_v2"; }),
  };
  CHECK(fingerprints.size() == 14);
}

TEST_CASE("where a contract comes from and what became of it is no part of its fingerprint") {
  const auto before = two_texts();
  auto other = before;
  other.fields[0].renamed_from = "c";
  other.fields[1].is_new = true;
  other.removed = {{"d", ""}};
  other.breaks = {"why", "2027-01-31"};
  other.is_retired = true;
  CHECK(contract::fingerprint(other) == contract::fingerprint(before));
}

TEST_CASE("the payload of a schemaless queue says no more than that, where it always is") {
  const contract::payload_contract plain{"email", 1, true, {{.name = "payload", .type = "jsonb", .column = "payload"}}};
  auto elsewhere = plain;
  elsewhere.fields[0].column = "payload_v3";
  CHECK(contract::fingerprint(plain) == contract::fingerprint({"email", 1, true}));
  CHECK(contract::fingerprint(plain) != contract::fingerprint(elsewhere));
}

TEST_CASE("a text of the declaration cannot look like another part of the contract") {
  auto odd = two_texts();
  auto plain = odd;
  odd.fields[0].default_value = "x\nmin 1 1";
  plain.fields[0].default_value = "x";
  plain.fields[0].min = "1";
  CHECK(contract::fingerprint(odd) != contract::fingerprint(plain));
}

TEST_CASE("a fingerprint is the same in every release of Quern") {
  CHECK(contract::fingerprint(two_texts()) == "fbdf59dafd82dec80eece6d591270629a94ff55f5b64d7f43e465f6e6b9f8fb7");
}

TEST_CASE("docs are no part of a contract") {
  declaration::queue queue;
  queue.name = "email";
  declaration::field field;
  field.name = "order_id";
  queue.payload = {field};
  auto described = queue;
  described.doc = "Mail.";
  described.payload[0].doc = "Which order.";
  CHECK(contract::fields_of({}, described) == contract::fields_of({}, queue));
}

TEST_CASE("values are spelled as text") {
  using declaration::value;
  CHECK(contract::spell(value{true}) == "true");
  CHECK(contract::spell(value{std::int64_t{-5}}) == "-5");
  CHECK(contract::spell(value{0.1}) == "0.1");
  CHECK(contract::spell(value{std::string{"it's"}}) == "it's");
  CHECK(contract::spell(value{declaration::empty_array{}}) == "[]");
}
