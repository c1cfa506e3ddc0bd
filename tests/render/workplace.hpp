#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "render/artefacts.hpp"
#include "render/generate.hpp"
#include "render/templates.hpp"

namespace test {

/// Declarations of queues.
inline const std::string email = "[queues.email]\npayload = { order_id = \"int64\" }\n";
inline const std::string with_note = "[queues.email]\npayload = { order_id = \"int64\", note = \"text?\" }\n";
inline const std::string webhooks = "[queues.webhooks]\npayload = \"jsonb\"\n";

using names = std::vector<std::string>;

/// A directory of a test's own, with a project in it.
class workplace {
 public:
  workplace();
  ~workplace();
  workplace(const workplace&) = delete;
  workplace& operator=(const workplace&) = delete;

  std::filesystem::path operator/(const std::filesystem::path& path) const { return root_ / path; }

  std::string read(const std::filesystem::path& path) const;
  void write(const std::filesystem::path& path, const std::string& content) const;

  render::output open(render::parts wanted = render::parts::all) const;
  render::generation generation(const render::output& output, const std::string& queues, render::parts wanted) const;

  /// Generates; gives what was written and removed, below the workplace.
  names generate(const std::string& queues, render::parts wanted = render::parts::all) const;

  /// Nothing that was generated is a draft any more.
  void release() const;

  /// What stands in the way of generating.
  names problems(const std::string& queues, render::parts wanted = render::parts::all) const;

  /// Every file with its content.
  std::map<std::string, std::string> tree() const;

  static const render::template_set& templates();

 private:
  std::filesystem::path root_;
};

}  // namespace test
