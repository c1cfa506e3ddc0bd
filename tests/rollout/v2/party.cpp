#include "party.hpp"

#include <shop/email.hpp>

// Two of three are messages that programs of the first contract cannot read.
int main(int count, char** arguments) {
  return rollout::run<shop::email_producer, shop::email_consumer>(count, arguments, [](std::int64_t number) {
    shop::email mail{.order_id = number, .client_id = 8, .recipient = "b@example.org", .weight = 2.5};
    if (number % 3 == 1) mail.client_id = 5'000'000'000;
    if (number % 3 == 2) mail.channel = shop::channel::fax;
    return mail;
  });
}
