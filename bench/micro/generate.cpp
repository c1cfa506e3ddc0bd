// What `quern generate` does between reading and writing: a declaration of so many queues, and all files from it.

#include "render/generate.hpp"

#include <benchmark/benchmark.h>

#include <cassert>
#include <cstdint>
#include <string>

#include "declaration/read.hpp"
#include "text/source.hpp"

namespace {

text::source declaration_of(std::int64_t queues) {
  text::source made{.name = "quern.toml", .content = "[project]\nname = \"many\"\n"};
  for (std::int64_t i = 1; i <= queues; ++i) {
    const std::string name = "queues.mail_" + std::to_string(i);
    made.content += "[";
    made.content += name;
    made.content += "]\nlease = \"30s\"\ndead_letter = true\n[";
    made.content += name;
    made.content +=
        ".payload]\norder_id = \"int64\"\nrecipient = { type = \"text\", max_length = 320 }\nnote = \"text?\"\n";
  }
  return made;
}

void read_declaration(benchmark::State& state) {
  const text::source from = declaration_of(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(declaration::read(from));
  state.SetItemsProcessed(state.range(0) * state.iterations());
}

void render_everything(benchmark::State& state) {
  const declaration::read_result read = declaration::read(declaration_of(state.range(0)));
  assert(read.declared);
  const render::template_set templates = render::check_templates(render::load_templates({}));
  for (auto _ : state)
    benchmark::DoNotOptimize(render::generate(*read.declared, {}, templates, render::parts::all).files.size());
  state.SetItemsProcessed(state.range(0) * state.iterations());
}

BENCHMARK(read_declaration)->Arg(1)->Arg(100)->Unit(benchmark::kMicrosecond);
BENCHMARK(render_everything)->Arg(1)->Arg(100)->Unit(benchmark::kMicrosecond);

}  // namespace
