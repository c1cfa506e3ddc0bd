#include "contract/history.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "contract/evolution.hpp"
#include "declaration/read.hpp"
#include "text/diagnostic.hpp"

namespace test {

namespace {

std::string declaration_of(const std::string& queue, std::size_t number) {
  std::string values = R"("email", "sms")";
  for (std::size_t i = 1; i < number; ++i) values += fmt::format(", \"way_{}\"", i + 1);
  return fmt::format("[project]\nname = \"shop\"\n[enums.channel]\nvalues = [{}]\n[queues.email]\n{}\n", values, queue);
}

}  // namespace

std::vector<contract::payload_contract> history(const std::vector<std::string>& queues) {
  std::vector<contract::payload_contract> contracts;
  for (const auto& queue : queues) {
    const text::source source{"quern.toml", declaration_of(queue, contracts.size() + 1)};
    const auto read = declaration::read(source);
    if (!read.declared) throw std::runtime_error{text::spell(read.problems, source)};
    const auto& declared = read.declared->queues.front();
    if (contracts.empty()) {
      contracts.push_back(contract::first_contract(*read.declared, declared, {}));
      continue;
    }
    auto evolved = contract::evolve(*read.declared, declared, contracts);
    if (!evolved.problems.empty()) throw std::runtime_error{text::spell(evolved.problems, source)};
    if (evolved.is_changed) contracts.push_back(std::move(evolved.next));
  }
  return contracts;
}

}  // namespace test
