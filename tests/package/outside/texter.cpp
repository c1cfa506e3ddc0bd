#include <iostream>
#include <outside/sms.hpp>

int main() {
  const outside::sms text{.number = "+49 30 1234"};
  std::cout << text.number << '\n';
}
