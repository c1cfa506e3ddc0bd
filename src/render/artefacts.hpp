#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "render/file_system.hpp"
#include "render/generate.hpp"
#include "text/source.hpp"

namespace render {

/// Where the output goes.
struct output_directories {
  std::filesystem::path generated;
  std::filesystem::path migrations;
};

enum class change_kind { add, change, remove };

/// A file that is not as it should be.
struct file_change {
  change_kind kind = change_kind::add;
  std::filesystem::path file;
  const std::string* text = nullptr;  // what should be there: part of the generation; null when the file is to go
  bool is_edited = false;             // what stands there is ours, but someone has changed it
};

/// What is in the way of writing.
struct output_problem {
  enum class kind { foreign, history };  // a file that is not ours; migrations that are not those of the lock
  kind is = kind::foreign;
  std::string words;
};

/// How the disk differs from a generation, which must outlive it.
struct comparison {
  std::vector<file_change> migrations;  // with quern.lock, last
  std::vector<file_change> generated;
  std::vector<output_problem> problems;  // nothing may be written when there are any

  bool is_empty() const { return migrations.empty() && generated.empty(); }
};

/// The one place that touches the output. All of its functions throw std::runtime_error with words for the user when
/// the disk fails them.
class output {
 public:
  enum class access { read, write };

  /// To write, makes the directories, and waits until no other run writes to them. Where only headers are wanted, the
  /// migrations are neither compared nor written, and of the generated files only those below include/.
  output(output_directories where, parts wanted, access how);

  /// `quern.lock`; empty when there is none.
  text::source read_lock() const;

  /// Compares what should be there with what is there.
  comparison compare(const generation& wanted) const;

  /// Makes the disk as it should be: migrations, then generated files, the lock last, each whole or not at all. The
  /// next run completes what was interrupted.
  void write(const generation& wanted, const comparison& differences) const;

 private:
  output_directories where_;
  parts wanted_;
  std::vector<file_system::directory_lock> locks_;
};

}  // namespace render
