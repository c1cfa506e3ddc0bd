#include <shop/channel.hpp>

#include "quern/fixture.hpp"
#include "support/catch.hpp"

namespace {

struct with_channel : test::session {
  with_channel() { db.run_script("create schema shop; create type shop.channel as enum ('email', 'sms', 'push')"); }
};

}  // namespace

TEST_CASE("an enum travels as its label") {
  with_channel s;
  const auto echoed = s.db.execute("select $1::shop.channel", shop::channel::push);
  CHECK(echoed.value<shop::channel>() == shop::channel::push);
  CHECK(echoed.value<std::string>() == "push");
  CHECK(s.db.execute("select null::shop.channel").value<std::optional<shop::channel>>() == std::nullopt);
}

TEST_CASE("an array of an enum needs the type's number of this database") {
  with_channel s;
  const std::vector<shop::channel> channels{shop::channel::sms, shop::channel::email};
  CHECK_THROWS_WITH(s.db.execute("select $1::shop.channel[]", channels), test::contains("resolve_enum"));
  s.db.resolve_enum("shop.channel");
  CHECK(s.db.execute("select $1::shop.channel[]", channels).value<std::vector<shop::channel>>() == channels);
  const std::vector<std::optional<shop::channel>> some{shop::channel::sms, std::nullopt};
  CHECK(s.db.execute("select $1::shop.channel[]", some).value<std::vector<std::optional<shop::channel>>>() == some);
  CHECK(s.db.execute("select $1::shop.channel[]", std::vector<shop::channel>{})
            .value<std::vector<shop::channel>>()
            .empty());
}

TEST_CASE("a label and a value that the program does not know are refused") {
  with_channel s;
  s.db.run_script("alter type shop.channel add value 'fax'");
  CHECK_THROWS_WITH(s.db.execute("select 'fax'::shop.channel").value<shop::channel>(),
                    test::contains("the enum shop.channel of this program has no label \"fax\""));
  CHECK_THROWS_WITH(quern::label(static_cast<shop::channel>(3)), "3 is no value of the enum shop.channel");
}
