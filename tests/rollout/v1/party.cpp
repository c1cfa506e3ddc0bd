#include "party.hpp"

#include <shop/email.hpp>

int main(int count, char** arguments) {
  return rollout::run<shop::email_producer, shop::email_consumer>(count, arguments, [](std::int64_t number) {
    return shop::email{.order_id = number, .customer_id = 7, .recipient = "a@example.org"};
  });
}
