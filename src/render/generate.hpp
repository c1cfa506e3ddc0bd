#pragma once

#include <string>
#include <vector>

#include "contract/lock.hpp"
#include "declaration/model.hpp"
#include "render/engine_stage.hpp"
#include "render/templates.hpp"
#include "text/diagnostic.hpp"

namespace render {

/// A file of the output, by its path below generated/ or migrations/.
struct output_file {
  std::string path;
  std::string text;
};

/// Which files are wanted.
enum class parts {
  all,
  headers  // what a program needs to compile; migrations and lock are not looked at
};

struct generation {
  std::vector<output_file> files;       // below generated/, sorted by path
  std::vector<output_file> migrations;  // below migrations/: the drafts, in the order in which they are applied
  std::vector<output_file>
      drafts_before;    // below migrations/: those of the lock that was given; the text is a checksum
  contract::lock lock;  // with the drafts
  std::string lock_text;
  std::vector<text::diagnostic> diagnostics;  // of the declaration; nothing else is given when there are any
};

/// The whole output for a declaration and the history in the lock. A pure function: checking, writing and showing are
/// three uses of it. The templates must be free of problems. `history` is what read_history() gives.
generation generate(const declaration::project& project, const contract::lock& lock, const template_set& templates,
                    parts wanted, const migration_texts& history = {});

/// What may be replaced of a lock: `drafts_before` of what is generated in its place.
std::vector<output_file> drafts_of(const contract::lock& lock);

/// The same with the oldest live contract of a queue retired, which contract::retire() allows: its migration is among
/// the migrations, and is released at once.
generation retire(const declaration::project& project, const contract::lock& lock, const template_set& templates,
                  const std::string& queue, const migration_texts& history = {});

}  // namespace render
