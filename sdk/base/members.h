#pragma once

/// Fields of JSON objects that strangers wrote. Every error names the key, what was expected and what was found.

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"

namespace whynot::base {

/// The members of one object. What nobody took is an error in `finish`, so that a slip of the pen is seen.
///
///     Members root(parse_json_object(text, ErrorCode::bad_pack, origin), ErrorCode::bad_pack, origin);
///     const std::string id = root.text("id");                 // "<origin>: expected 'id' to be a text, found a number"
///     Members input = root.object("input");
///     const int64_t height = input.whole("height", 4, 1024);  // "<origin>: expected 'input.height' to be a whole number from 4 ..."
///
/// A fallback stands for a member that is not there, never for one of another kind.
class Members {
public:
    /// @param place the key under which the object stands, empty: it is the whole. `object` must outlive this.
    /// Throws `code` where it is no object.
    Members(const Json& object, ErrorCode code, std::string origin, std::string place = "");

    bool has(const std::string& key) const { return object_->contains(key); }
    const Json& take(const std::string& key);

    std::string text(const std::string& key);
    std::string text(const std::string& key, const std::string& fallback) { return has(key) ? text(key) : fallback; }
    std::vector<std::string> texts(const std::string& key);
    bool flag(const std::string& key);
    bool flag(const std::string& key, bool fallback) { return has(key) ? flag(key) : fallback; }
    int64_t whole(const std::string& key, int64_t min, int64_t max);
    int64_t whole(const std::string& key, int64_t min, int64_t max, int64_t fallback) { return has(key) ? whole(key, min, max) : fallback; }
    /// A whole number of 64 bits without a sign.
    uint64_t count(const std::string& key);
    double number(const std::string& key, double min, double max);
    double number(const std::string& key, double min, double max, double fallback) { return has(key) ? number(key, min, max) : fallback; }
    std::vector<double> numbers(const std::string& key);
    const Json& array(const std::string& key);
    Members object(const std::string& key);
    /// The object that each element of an array is.
    std::vector<Members> objects(const std::string& key);

    void finish() const;

    /// The error of a member that is not as expected: "<origin>: expected '<key>' to be <what>, found <value>".
    [[noreturn]] void refuse(const std::string& key, const std::string& what) const;
    /// "<origin>: <sentence>".
    [[noreturn]] void refuse(const std::string& sentence) const;

    const Json& json() const { return *object_; }

private:
    std::string place(const std::string& key) const;

    const Json* object_;
    ErrorCode code_;
    std::string origin_, place_;
    std::set<std::string> taken_;
};

}  // namespace whynot::base
