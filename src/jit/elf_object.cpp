/* elf_object.cpp - reading a relocatable ELF object (System V ABI: gABI, i386 and x86-64 psABI). */
#include "elf_object.h"

#include <algorithm>
#include <map>
#include <set>

#include <llvm/Object/ELF.h>

#include "response.h"

namespace jit {

using namespace llvm::ELF;

[[noreturn]] static void bad(const std::string &expected, const std::string &found) {
    refuse(JIT_BAD_OBJECT, "the object: " + expected + " expected, found " + found +
                               "; keep the code that is there");
}

template <typename T> static T must(llvm::Expected<T> value) {
    if (!value)
        bad("a readable ELF", llvm::toString(value.takeError()));
    return *value;
}

static bool dropped(llvm::StringRef name) {
    for (const char *prefix : {".eh_frame", ".note", ".comment", ".llvm_addrsig", ".stack_sizes"})
        if (name.starts_with(prefix))
            return true;
    return false;
}

/* MOD_RELOC_* of an ELF relocation; 0: there is none. */
static uint16_t reloc_type(uint32_t machine, uint32_t type) {
    if (machine == EM_386)
        switch (type) {
        case R_386_32:
            return MOD_RELOC_ABS32;
        case R_386_PC32:
        case R_386_PLT32:
            return MOD_RELOC_PC32;
        default:
            return 0;
        }
    switch (type) {
    case R_X86_64_64:
        return MOD_RELOC_ABS64;
    case R_X86_64_32:
        return MOD_RELOC_ABS32;
    case R_X86_64_32S:
        return MOD_RELOC_ABS32S;
    case R_X86_64_PC32:
    case R_X86_64_PLT32:
        return MOD_RELOC_PC32;
    case R_X86_64_PC64:
        return MOD_RELOC_PC64;
    default:
        return 0;
    }
}

static uint32_t reloc_bytes(uint16_t type) {
    return type == MOD_RELOC_ABS64 || type == MOD_RELOC_PC64 ? 8 : 4;
}

/* One file, of either class. */
template <typename ELFT> class Reader {
  public:
    using Shdr = typename ELFT::Shdr;
    using Sym = typename ELFT::Sym;

    Reader(const std::string &object, uint32_t machine);
    ObjectParts parts();

  private:
    void keep_sections();
    void read_symbols();
    void read_relocs();
    uint32_t flags(const Shdr &header, llvm::StringRef name);
    Section convert(const Shdr &header, llvm::StringRef name);
    void add_reloc(uint32_t section, uint64_t offset, uint32_t type, uint32_t symbol,
                   const int64_t *addend);
    void check_symbol(const Sym &symbol, llvm::StringRef name);

    llvm::StringRef name_of(const Sym &symbol) {
        return must(symbol.getName(names_));
    }

    llvm::object::ELFFile<ELFT> file_;
    uint32_t machine_;
    typename ELFT::ShdrRange headers_;
    typename ELFT::SymRange symbols_;
    llvm::StringRef names_;
    std::map<uint32_t, uint32_t> index_; // section of the ELF -> of the .mod
    ObjectParts out_;
};

template <typename ELFT>
Reader<ELFT>::Reader(const std::string &object, uint32_t machine)
    : file_(must(llvm::object::ELFFile<ELFT>::create(object))), machine_(machine) {
    const auto &head = file_.getHeader();
    if (head.e_type != ET_REL || head.e_machine != machine)
        bad("a relocatable object for machine " + std::to_string(machine),
            "type " + std::to_string(head.e_type) + " for " + std::to_string(head.e_machine));
    headers_ = must(file_.sections());
    for (const Shdr &header : headers_)
        if (header.sh_type == SHT_SYMTAB) {
            symbols_ = must(file_.symbols(&header));
            names_ = must(file_.getStringTableForSymtab(header, headers_));
        }
    if (symbols_.empty())
        bad("a symbol table", "none");
}

template <typename ELFT> uint32_t Reader<ELFT>::flags(const Shdr &header, llvm::StringRef name) {
    if (header.sh_type == SHT_INIT_ARRAY)
        return MOD_SECTION_INIT;
    if (header.sh_type == SHT_FINI_ARRAY)
        return MOD_SECTION_FINI;
    if ((header.sh_type != SHT_PROGBITS && header.sh_type != SHT_NOBITS) ||
        name.starts_with(".ctors") || name.starts_with(".dtors") || header.sh_flags & SHF_TLS)
        bad("code, data or .bss", "section " + name.str());
    uint32_t flags = 0;
    if (header.sh_flags & SHF_WRITE && !name.starts_with(".data.rel.ro"))
        flags |= MOD_SECTION_WRITE;
    if (header.sh_flags & SHF_EXECINSTR)
        flags |= MOD_SECTION_EXEC;
    if (header.sh_type == SHT_NOBITS)
        flags |= MOD_SECTION_NOBITS;
    if (flags & MOD_SECTION_WRITE && flags & MOD_SECTION_EXEC)
        bad("sections that are not writable and executable", name.str());
    return flags;
}

template <typename ELFT> Section Reader<ELFT>::convert(const Shdr &header, llvm::StringRef name) {
    uint64_t align = std::max<uint64_t>(header.sh_addralign, 1);
    if (align > MOD_ALIGN_MAX || align & (align - 1))
        bad("an alignment of at most " + std::to_string(MOD_ALIGN_MAX), std::to_string(align));
    if (header.sh_size > MOD_MEMORY_MAX)
        bad("a section within a module's memory", std::to_string(header.sh_size));
    Section section = {name.str(), flags(header, name), (uint32_t)align, "",
                       (uint32_t)header.sh_size};
    if (!(section.flags & MOD_SECTION_NOBITS)) {
        auto data = must(file_.getSectionContents(header));
        section.data.assign((const char *)data.data(), data.size());
    }
    return section;
}

/* Initialisers run in the order of their numbers, those without one last; finalisers from behind.
 */
static uint64_t run_priority(const Section &section) {
    if (!(section.flags & (MOD_SECTION_INIT | MOD_SECTION_FINI)))
        return 0;
    uint64_t number;
    llvm::StringRef suffix = llvm::StringRef(section.name).rsplit('.').second;
    return suffix.getAsInteger(10, number) ? 65536 : number;
}

template <typename ELFT> void Reader<ELFT>::keep_sections() {
    std::set<uint32_t> used; // an empty section with a symbol in it is kept, too
    for (const Sym &symbol : symbols_)
        if (symbol.st_shndx != SHN_UNDEF && symbol.st_shndx < SHN_LORESERVE &&
            symbol.getType() != STT_SECTION)
            used.insert(symbol.st_shndx);
    std::vector<std::pair<uint32_t, Section>> found;
    for (uint32_t n = 0; n < headers_.size(); n++) {
        llvm::StringRef name = must(file_.getSectionName(headers_[n]));
        if (!(headers_[n].sh_flags & SHF_ALLOC) || dropped(name))
            continue;
        if (headers_[n].sh_size || used.count(n))
            found.emplace_back(n, convert(headers_[n], name));
    }
    std::sort(found.begin(), found.end(), [](const auto &a, const auto &b) {
        return std::pair(run_priority(a.second), a.first) <
               std::pair(run_priority(b.second), b.first);
    });
    for (auto &pair : found) {
        index_[pair.first] = (uint32_t)out_.sections.size();
        out_.sections.push_back(std::move(pair.second));
    }
}

template <typename ELFT> void Reader<ELFT>::check_symbol(const Sym &symbol, llvm::StringRef name) {
    unsigned type = symbol.getType();
    if (symbol.st_shndx == SHN_COMMON || type == STT_TLS || type == STT_GNU_IFUNC)
        bad("functions and data", "symbol " + name.str() + " of type " + std::to_string(type));
}

template <typename ELFT> void Reader<ELFT>::read_symbols() {
    for (const Sym &symbol : symbols_) {
        llvm::StringRef name = name_of(symbol);
        check_symbol(symbol, name);
        auto section = index_.find(symbol.st_shndx);
        if (section == index_.end() || name.empty())
            continue;
        uint64_t at = symbol.st_value, size = symbol.st_size;
        if (at > UINT32_MAX || size > UINT32_MAX)
            bad("symbols inside of their sections", name.str() + " at " + std::to_string(at));
        Place place = {name.str(), section->second, (uint32_t)at, (uint32_t)size};
        unsigned bind = symbol.getBinding(), visible = symbol.getVisibility();
        if ((bind == STB_GLOBAL || bind == STB_WEAK) &&
            (visible == STV_DEFAULT || visible == STV_PROTECTED))
            out_.exports.push_back(place);
        if (symbol.getType() == STT_FUNC)
            out_.symbols.push_back(place);
    }
    std::sort(out_.exports.begin(), out_.exports.end(),
              [](const Place &a, const Place &b) { return a.name < b.name; });
    std::sort(out_.symbols.begin(), out_.symbols.end(), [](const Place &a, const Place &b) {
        return std::tie(a.section, a.offset, a.name) < std::tie(b.section, b.offset, b.name);
    });
    if (out_.exports.empty())
        bad("an exported function", "none");
}

/* addend: null where it lies at the place that is patched (SHT_REL). */
template <typename ELFT>
void Reader<ELFT>::add_reloc(uint32_t number, uint64_t offset, uint32_t type, uint32_t symbol,
                             const int64_t *addend) {
    const Section &section = out_.sections[number];
    struct mod_reloc reloc = {};
    reloc.section = number;
    reloc.offset = (uint32_t)offset;
    reloc.type = reloc_type(machine_, type);
    if (!reloc.type)
        bad("relocations of modules", "type " + std::to_string(type) + " in " + section.name);
    uint32_t bytes = reloc_bytes(reloc.type);
    if (symbol >= symbols_.size() || offset > section.data.size() ||
        bytes > section.data.size() - offset)
        bad("a relocation within " + section.name, std::to_string(offset));
    int32_t inside; // SHT_REL is i386's: four bytes
    memcpy(&inside, section.data.data() + offset, sizeof(inside));
    reloc.addend = addend ? *addend : inside;
    const Sym &target = symbols_[symbol];
    llvm::StringRef name = name_of(target);
    auto place = index_.find(target.st_shndx);
    if (target.st_shndx == SHN_UNDEF && !name.empty()) {
        auto at = std::lower_bound(out_.imports.begin(), out_.imports.end(), name.str());
        reloc.target_kind = MOD_TARGET_IMPORT;
        reloc.target = (uint32_t)(at - out_.imports.begin());
    } else if (place != index_.end()) {
        reloc.target_kind = MOD_TARGET_SECTION;
        reloc.target = place->second;
        reloc.addend += (int64_t)target.st_value;
    } else
        bad("references to what is loaded", "'" + name.str() + "' in " + section.name);
    out_.relocs.push_back(reloc);
}

template <typename ELFT> void Reader<ELFT>::read_relocs() {
    std::set<std::string> imports;
    auto each = [&](auto handle) {
        for (const Shdr &header : headers_) {
            auto section = index_.find(header.sh_info);
            if (section == index_.end())
                continue;
            if (header.sh_type == SHT_RELA)
                for (const auto &r : must(file_.relas(header))) {
                    int64_t addend = r.r_addend;
                    handle(section->second, r.r_offset, r.getType(false), r.getSymbol(false),
                           &addend);
                }
            else if (header.sh_type == SHT_REL)
                for (const auto &r : must(file_.rels(header)))
                    handle(section->second, r.r_offset, r.getType(false), r.getSymbol(false),
                           (const int64_t *)nullptr);
        }
    };
    each([&](uint32_t, uint64_t, uint32_t, uint32_t symbol, const int64_t *) {
        if (symbol < symbols_.size() && symbols_[symbol].st_shndx == SHN_UNDEF)
            imports.insert(name_of(symbols_[symbol]).str());
    });
    out_.imports.assign(imports.begin(), imports.end());
    each([&](uint32_t section, uint64_t offset, uint32_t type, uint32_t symbol,
             const int64_t *addend) { add_reloc(section, offset, type, symbol, addend); });
}

template <typename ELFT> ObjectParts Reader<ELFT>::parts() {
    keep_sections();
    read_symbols();
    read_relocs();
    return std::move(out_);
}

ObjectParts read_object(const std::string &object, const Request &request) {
    if (request.machine == MOD_MACHINE_X86_64)
        return Reader<llvm::object::ELF64LE>(object, EM_X86_64).parts();
    return Reader<llvm::object::ELF32LE>(object, EM_386).parts();
}

} // namespace jit
