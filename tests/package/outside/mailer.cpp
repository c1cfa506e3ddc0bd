#include <iostream>
#include <outside/email.hpp>

int unrelated();

int main() {
  const outside::email mail{.recipient = "a@example.org"};
  std::cout << mail.recipient << '\n';
  return unrelated();
}
