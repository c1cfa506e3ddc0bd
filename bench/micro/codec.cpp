// What a message costs on its way to the wire and back.

#include <benchmark/benchmark.h>

#include "shop/email.hpp"

namespace {

using contract = shop::email_v1_contract;

shop::email sample() {
  shop::email made;
  made.order_id = 42;
  made.customer_id = 7;
  made.recipient = "a.customer.of.ours@example.org";
  made.subject = "Your order has left our house and is on its way";
  made.attachments = {quern::uuid{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}};
  return made;
}

void encode_parameters(benchmark::State& state) {
  const shop::email mail = sample();
  quern::parameters values;
  for (auto _ : state) {
    values.clear();
    quern::for_each_field<contract>(mail, [&](const auto& field) { values.add(field); });
    benchmark::DoNotOptimize(values.bind().values);
  }
}

void encode_copy_row(benchmark::State& state) {
  const shop::email mail = sample();
  quern::wire::writer out;
  for (auto _ : state) {
    out.clear();
    quern::for_each_field<contract>(mail, [&](const auto& field) { quern::encode_field(out, field); });
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(out.size()) * state.iterations());
}

void check_utf8(benchmark::State& state) {
  const std::string text(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) quern::wire::expect_text(text);
  state.SetBytesProcessed(state.range(0) * state.iterations());
}

void decode_text(benchmark::State& state) {
  const std::string text = sample().subject;
  const auto bytes = std::as_bytes(std::span{text});
  for (auto _ : state) benchmark::DoNotOptimize(quern::decode_field<std::string>(bytes, false, quern::types::text));
}

BENCHMARK(encode_parameters);
BENCHMARK(encode_copy_row);
BENCHMARK(check_utf8)->Arg(32)->Arg(4096);
BENCHMARK(decode_text);

}  // namespace
