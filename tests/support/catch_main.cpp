// Catch2 2 is a header: its body is compiled once, here, for every test program. Version 3 brings its own main.

#if !__has_include(<catch2/catch_all.hpp>)
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif
