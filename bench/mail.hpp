#pragma once

#include <cstdint>

#include "shop/email.hpp"
#include "shop/email_deep.hpp"

namespace bench {

/// A mail as a shop would send it, different for each number.
template <class Payload>
Payload mail(std::int64_t number) {
  Payload made;
  made.order_id = number;
  made.customer_id = number % 10'000;
  made.recipient = "a.customer.of.ours@example.org";
  made.subject = "Your order has left our house and is on its way";
  made.attachments = {quern::uuid{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}};
  return made;
}

/// The same mail as encoded parameters, in the order of the columns.
template <class Contract>
quern::parameters encoded_mail(std::int64_t number) {
  quern::parameters values;
  const auto payload = mail<typename Contract::payload_type>(number);
  quern::for_each_field<Contract>(payload, [&](const auto& field) { values.add(field); });
  return values;
}

}  // namespace bench
