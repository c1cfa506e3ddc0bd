#pragma once

#include <fmt/format.h>

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Three contracts with every kind of change between them, what each writes, and how each reads it. All by hand.
namespace test {

inline constexpr std::string_view head = R"([project]
name = "shop"

[enums.channel]
values = [{}]

[queues.work]
lease  = "1h"
sunset = "1s"
retry  = {{ max_attempts = 2, backoff = "constant", initial = "1ms", jitter = 0.0 }}
{}
[queues.work.payload]
)";

/// What is declared for each of them.
inline const std::array<std::string, 3> declarations{
    fmt::format(head, R"("email", "sms")", "") + R"(id      = "int64"
kept    = "text"
gone    = "text"
points  = "int32"
size    = "int16"
amount  = { type = "int32", max = 100 }
maybe   = "text"
channel = { type = "channel", default = "email" }
tags    = "text[]"
code    = { type = "int32", default = 7 }
)",
    // Removes, renames, widens, tightens, makes optional, adds; a value of the enumeration, elements that may be null.
    fmt::format(head, R"("email", "sms", "fax")", "") + R"(id      = "int64"
kept    = "text"
marks   = { type = "int32", renamed_from = "points" }
size    = "int32"
amount  = { type = "int32", max = 50 }
maybe   = "text?"
channel = { type = "channel", default = "email" }
tags    = "text?[]"
code    = { type = "int32", default = 7 }
extra   = { type = "int32", default = 5 }

[queues.work.removed]
gone = { type = "text", default = "none" }
)",
    // Renames and widens again, relaxes, makes required, adds, changes the order; replaces a field by one of another
    // type.
    fmt::format(head, R"("email", "sms", "fax", "push")",
                "accept_break = { version = 3, reason = \"codes have letters now\", until = \"2099-12-31\" }\n") +
        R"(kept    = "text"
id      = "int64"
stars   = { type = "int32", renamed_from = "marks" }
size    = "int64"
amount  = { type = "int32", max = 200 }
maybe   = { type = "text", default = "-" }
channel = { type = "channel", default = "email" }
tags    = "text?[]"
code    = "text?"
extra   = { type = "int32", default = 5 }
hint    = "text?"

[queues.work.removed]
gone = { type = "text", default = "none" }
)"};

/// A message, by the columns in which a program that copies would put it, and how each contract reads it: `stays` when
/// it must be left to another one.
struct sample {
  int writer;
  std::string_view values;  // name = SQL, in the writer's names
  std::array<std::string_view, 3> read;
};

/// A reading that there must not be.
inline constexpr std::string_view stays = "stays";

inline constexpr std::string_view plain_v1 =
    "kept='k',gone='g',points=3,size=1,amount=10,maybe='m',tags='{a,b}',code=9";
inline constexpr std::string_view plain_v2 =
    "kept='k',marks=4,size=2,amount=20,maybe='m',channel='sms',tags='{x}',extra=6";

/// At least one for every change, and one for every reason why an older contract cannot read.
inline const std::vector<sample> samples{
    {1, plain_v1, {"k|g|3|1|10|m|email|{a,b}|9", "k|3|1|10|m|email|{a,b}|9|5", "k|3|1|10|m|email|{a,b}|null|5|null"}},
    {1,  // more than contract v2 takes
     "kept='k',gone='g',points=-1,size=-32768,amount=80,maybe='',channel='sms',tags='{}'",
     {"k|g|-1|-32768|80||sms|{}|7", stays, "k|-1|-32768|80||sms|{}|null|5|null"}},
    {2, plain_v2, {"k|none|4|2|20|m|sms|{x}|7", "k|4|2|20|m|sms|{x}|7|6", "k|4|2|20|m|sms|{x}|null|6|null"}},
    {2,  // too large for int16
     "kept='k',marks=4,size=32768,amount=20,maybe='m',tags='{x}',code=1",
     {stays, "k|4|32768|20|m|email|{x}|1|5", "k|4|32768|20|m|email|{x}|null|5|null"}},
    {2,  // nothing where contract v1 needs something
     "kept='k',marks=4,size=32767,amount=50,maybe=null,tags='{x}'",
     {stays, "k|4|32767|50|null|email|{x}|7|5", "k|4|32767|50|-|email|{x}|null|5|null"}},
    {2,  // a value that contract v1 does not know
     "kept='k',marks=4,size=2,amount=20,maybe='m',channel='fax',tags='{x}'",
     {stays, "k|4|2|20|m|fax|{x}|7|5", "k|4|2|20|m|fax|{x}|null|5|null"}},
    {2,  // an element that contract v1 cannot hold
     "kept='k',marks=4,size=2,amount=20,maybe='m',tags='{x,NULL}'",
     {stays, "k|4|2|20|m|email|{x,NULL}|7|5", "k|4|2|20|m|email|{x,NULL}|null|5|null"}},
    {3,
     "kept='k',stars=5,size=3,amount=30,maybe='m',tags='{y}',code='abc',extra=8,hint='h'",
     {"k|none|5|3|30|m|email|{y}|7", "k|5|3|30|m|email|{y}|7|8", "k|5|3|30|m|email|{y}|abc|8|h"}},
    {3,  // too large for int32
     "kept='k',stars=5,size=5000000000,amount=30,tags='{y}'",
     {stays, stays, "k|5|5000000000|30|-|email|{y}|null|5|null"}},
    {3,  // too large for int16 only
     "kept='k',stars=5,size=-40000,amount=30,tags='{y}'",
     {stays, "k|5|-40000|30|-|email|{y}|7|5", "k|5|-40000|30|-|email|{y}|null|5|null"}},
    {3,  // more than contracts v1 and v2 take
     "kept='k',stars=5,size=3,amount=101,tags='{y}'",
     {stays, stays, "k|5|3|101|-|email|{y}|null|5|null"}},
    {3,  // more than contract v2 takes only
     "kept='k',stars=5,size=3,amount=100,tags='{y}'",
     {"k|none|5|3|100|-|email|{y}|7", stays, "k|5|3|100|-|email|{y}|null|5|null"}},
    {3,
     "kept='k',stars=5,size=3,amount=30,channel='fax',tags='{y}'",
     {stays, "k|5|3|30|-|fax|{y}|7|5", "k|5|3|30|-|fax|{y}|null|5|null"}},
    {3,
     "kept='k',stars=5,size=3,amount=30,channel='push',tags='{y}'",
     {stays, stays, "k|5|3|30|-|push|{y}|null|5|null"}},
    {3,
     "kept='k',stars=5,size=3,amount=30,tags='{NULL}'",
     {stays, "k|5|3|30|-|email|{NULL}|7|5", "k|5|3|30|-|email|{NULL}|null|5|null"}},
};

/// In the order of the readings.
inline constexpr std::array<std::string_view, 3> fields{"kept,gone,points,size,amount,maybe,channel,tags,code",
                                                        "kept,marks,size,amount,maybe,channel,tags,code,extra",
                                                        "kept,stars,size,amount,maybe,channel,tags,code,extra,hint"};

/// Where a field of a contract is stored; the others have columns of their names.
inline const std::map<std::pair<int, std::string>, std::string> columns{{{2, "marks"}, "points"},
                                                                        {{2, "size"}, "size_v2"},
                                                                        {{3, "stars"}, "points"},
                                                                        {{3, "size"}, "size_v3"},
                                                                        {{3, "code"}, "code_v3"}};

}  // namespace test
