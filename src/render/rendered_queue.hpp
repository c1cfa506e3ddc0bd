#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "render/queue_model.hpp"
#include "render/renderer.hpp"

namespace render {

/// A queue's objects as SQL: those that all live contracts share, and those of each.
class rendered_queue {
 public:
  rendered_queue(renderer& with, const queue_model& model);

  const queue_model& model() const { return *model_; }

  /// The whole of it: `create`, `definition`.
  std::string file(std::string_view name) { return shared_.file(name); }

  const std::string& shared(std::string_view object) const { return shared_.text(object); }

  /// An object that there is under each name of the queue: `ack`, `door_view`.
  const std::string& under(const std::string& name, std::string_view object) const {
    const auto place = others_.find(name);
    return place == others_.end() ? shared_.text(object) : place->second.text(object);
  }

  /// All of them, for a name that comes after the queue was made.
  std::string all_under(const std::string& name) const;

  /// Who may use them under one of the names.
  std::string rights_under(const std::string& name) const;

  const std::string& of_version(int version, std::string_view object) const {
    return versions_.at(version).text(object);
  }

  /// What consumers, producers of one contract use: `consumers`, `producers`.
  std::string file_of(int version, std::string_view name) { return versions_.at(version).file(name); }

 private:
  const queue_model* model_;
  std::map<int, rendered_objects> versions_;
  std::map<std::string, rendered_objects> others_;  // under the names that contracts before the newest bear
  rendered_objects shared_;
};

/// Texts that make the functions and views of `now` out of those of `before`, of what both have; without line ends.
std::vector<std::string> replaced_objects(const rendered_queue& before, const rendered_queue& now);

}  // namespace render
