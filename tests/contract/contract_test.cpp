#include "contract/contract.hpp"

#include <set>
#include <string>
#include <utility>

#include "contract/sha256.hpp"
#include "support/catch.hpp"

namespace {

contract::payload_contract two_texts() {
  return {"email", 1, false, {{"a", "text", {}, {}, {}, {}, {}}, {"b", "text", {}, {}, {}, {}, {}}}};
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

TEST_CASE("every part of a contract changes its fingerprint") {
  const contract::field b{"b", "text", {}, {}, {}, {}, {}};
  const auto with_first = [&](contract::field first) {
    return contract::fingerprint({"email", 1, false, {std::move(first), b}});
  };
  const auto before = two_texts();
  const std::set<std::string> fingerprints{
      contract::fingerprint(before),
      contract::fingerprint({"mail", 1, false, before.fields}),
      contract::fingerprint({"email", 2, false, before.fields}),
      contract::fingerprint({"email", 1, true, before.fields}),
      contract::fingerprint({"email", 1, false, {before.fields[1], before.fields[0]}}),
      with_first({"c", "text", {}, {}, {}, {}, {}}),
      with_first({"a", "text?", {}, {}, {}, {}, {}}),
      with_first({"a", "text", "", {}, {}, {}, {}}),
      with_first({"a", "text", {}, "1", {}, {}, {}}),
      with_first({"a", "text", {}, {}, "1", {}, {}}),
      with_first({"a", "text", {}, {}, {}, 1, {}}),
      with_first({"a", "text", {}, {}, {}, {}, "1"}),
  };
  CHECK(fingerprints.size() == 12);
  CHECK(with_first(before.fields[0]) == contract::fingerprint(before));
}

TEST_CASE("a text of the declaration cannot look like another part of the contract") {
  const contract::payload_contract odd{"email", 1, false, {{"a", "text", "x\nmin 1 1", {}, {}, {}, {}}}};
  const contract::payload_contract plain{"email", 1, false, {{"a", "text", "x", "1", {}, {}, {}}}};
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
  CHECK(contract::contract_of(described, 1) == contract::contract_of(queue, 1));
}

TEST_CASE("values are spelled as text") {
  using declaration::value;
  CHECK(contract::spell(value{true}) == "true");
  CHECK(contract::spell(value{std::int64_t{-5}}) == "-5");
  CHECK(contract::spell(value{0.1}) == "0.1");
  CHECK(contract::spell(value{std::string{"it's"}}) == "it's");
  CHECK(contract::spell(value{declaration::empty_array{}}) == "[]");
}
