#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <quern/connection.hpp>
#include <utility>

#include "crew.hpp"
#include "scene.hpp"

namespace bench {

/// One side of a comparison whose clients empty what is there: filled anew for each round, with twice as much as they
/// did in the one before, so that they do not run dry.
template <class Client>
class refilled {
 public:
  using filling = std::function<void(quern::connection&, std::int64_t)>;

  /// The clients are made from the connection string and `arguments`; `batch` is what each takes at once.
  template <class... Arguments>
  refilled(const scene& where, int clients, int batch, filling fill, const Arguments&... arguments)
      : db_{where.url},
        time_{where.how.time},
        crew_{clients, where.url, arguments...},
        fill_{std::move(fill)},
        least_{std::int64_t{8} * batch * clients} {
    depth_ = static_cast<std::int64_t>((batch == 1 ? 20'000 : 200'000) * time_.count()) + least_;
  }

  measure operator()() {
    fill_(db_, depth_);
    const measure taken = crew_.run(time_);
    crew_.for_each([](Client& each) {
      if constexpr (requires { each.let_go(); }) each.let_go();
    });
    depth_ = 2 * static_cast<std::int64_t>(taken.count) + least_;
    return taken;
  }

 private:
  quern::connection db_;
  std::chrono::duration<double> time_;
  crew<Client> crew_;
  filling fill_;
  std::int64_t least_;
  std::int64_t depth_ = 0;
};

}  // namespace bench
