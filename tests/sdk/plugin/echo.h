#pragma once

#include <string>

/// A service of the tests' own, as a stranger might define one between his plugin and his host.
class Echo {
public:
    static constexpr const char* service_id = "test.echo/1";
    virtual ~Echo() = default;
    virtual std::string say(const std::string& what) = 0;
};
