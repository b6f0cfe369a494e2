#include "base/sha256.h"

#include <openssl/evp.h>

#include <vector>

#include "base/file.h"
#include "whynot/error.h"

namespace whynot::base {

struct Sha256::Context {
    EVP_MD_CTX* evp = EVP_MD_CTX_new();
    ~Context() { EVP_MD_CTX_free(evp); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
    if (!context_->evp || EVP_DigestInit_ex(context_->evp, EVP_sha256(), nullptr) != 1)
        throw Error(ErrorCode::internal, "OpenSSL cannot compute SHA-256");
}

Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) {
    if (EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size()) != 1)
        throw Error(ErrorCode::internal, "OpenSSL failed while computing SHA-256");
}

std::string Sha256::hex() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_DigestFinal_ex(context_->evp, digest, &size) != 1) throw Error(ErrorCode::internal, "OpenSSL failed while computing SHA-256");
    std::string text;
    for (unsigned i = 0; i < size; ++i) {
        text += "0123456789abcdef"[digest[i] >> 4];
        text += "0123456789abcdef"[digest[i] & 15];
    }
    return text;
}

std::string sha256_hex(std::string_view bytes) {
    Sha256 hash;
    hash.update(bytes);
    return hash.hex();
}

std::string sha256_of_file(const std::filesystem::path& path) {
    InputFile file(path);
    return sha256_of_file(file);
}

std::string sha256_of_file(InputFile& file) {
    Sha256 hash;
    std::vector<char> buffer(1 << 18);
    while (const size_t count = file.read_some(buffer.data(), buffer.size())) hash.update({buffer.data(), count});
    return hash.hex();
}

bool is_sha256(std::string_view text) noexcept {
    return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace whynot::base
