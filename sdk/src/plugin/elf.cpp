#include "plugin/elf.h"

#include <elf.h>

#include "plugin/library.h"
#include "whynot/error.h"

namespace whynot::internal {
namespace {

#if defined(__x86_64__)
constexpr Elf64_Half this_machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half this_machine = EM_AARCH64;
#else
constexpr Elf64_Half this_machine = EM_NONE;  // unknown: not compared
#endif

constexpr uint64_t most_entries = 1 << 20;  // of one table

}  // namespace

void ElfFile::refuse(const std::string& sentence) const {
    throw Error(ErrorCode::bad_plugin, "the plugin " + quoted(path_) + ' ' + sentence);
}

template <class T>
std::vector<T> ElfFile::table(uint64_t offset, uint64_t count) const {
    if (count > most_entries || offset > file_.size() || file_.size() - offset < count * sizeof(T))
        refuse("is damaged: its tables point beyond its end. Copy or build it again");
    std::vector<T> entries(count);
    file_.read_at(offset, entries.data(), count * sizeof(T));
    return entries;
}

ElfFile::ElfFile(const std::filesystem::path& path) : path_(path), file_(path) {
    const char* const other = "is not a shared library. Give the .so file that whynot_add_plugin built";
    if (file_.size() < sizeof(Elf64_Ehdr)) refuse(other);
    const Elf64_Ehdr header = table<Elf64_Ehdr>(0, 1).front();
    if (std::string(reinterpret_cast<const char*>(header.e_ident), SELFMAG) != ELFMAG) refuse(other);
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_type != ET_DYN || (this_machine != EM_NONE && header.e_machine != this_machine))
        refuse("is no shared library for this kind of machine. Build it again here");
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_shentsize != sizeof(Elf64_Shdr)) refuse(other);
    for (const Elf64_Phdr& segment : table<Elf64_Phdr>(header.e_phoff, header.e_phnum))
        if (segment.p_offset > file_.size() || segment.p_filesz > file_.size() - segment.p_offset)
            refuse("is cut short: it should hold bytes up to " + std::to_string(segment.p_offset + segment.p_filesz) + " and has " +
                   std::to_string(file_.size()) + ". Copy or build it again");
    sections_ = header.e_shoff;
    section_count_ = header.e_shnum;
    table<Elf64_Shdr>(sections_, section_count_);  // the last that a file holds
}

std::vector<std::string> ElfFile::exports() const {
    std::vector<std::string> names;
    bool found = false;
    const std::vector<Elf64_Shdr> sections = table<Elf64_Shdr>(sections_, section_count_);
    for (const Elf64_Shdr& section : sections) {
        if (section.sh_type != SHT_DYNSYM) continue;
        found = true;
        if (section.sh_link >= sections.size()) refuse("is damaged: its symbols have no names. Copy or build it again");
        const Elf64_Shdr& names_section = sections[section.sh_link];
        const std::vector<char> strings = table<char>(names_section.sh_offset, names_section.sh_size);
        for (const Elf64_Sym& symbol : table<Elf64_Sym>(section.sh_offset, section.sh_size / sizeof(Elf64_Sym))) {
            const auto visibility = ELF64_ST_VISIBILITY(symbol.st_other);
            if (symbol.st_shndx == SHN_UNDEF || ELF64_ST_BIND(symbol.st_info) == STB_LOCAL ||
                (visibility != STV_DEFAULT && visibility != STV_PROTECTED))
                continue;
            std::string& name = names.emplace_back();
            for (size_t at = symbol.st_name; at < strings.size() && strings[at] != '\0'; ++at) name += strings[at];
        }
    }
    if (!found) refuse("has no table of dynamic symbols");
    return names;
}

}  // namespace whynot::internal
