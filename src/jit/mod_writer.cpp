/* mod_writer.cpp - packing a .mod (layout: fluid/module.h). */
#include "mod_writer.h"

#include <cstddef>
#include <cstring>
#include <map>

#include <llvm/ADT/ArrayRef.h>
#include <llvm/Support/SHA256.h>

#include "response.h"

namespace jit {

/* The string table while it grows; equal strings share one entry. */
class Strings {
  public:
    uint32_t add(const std::string &text) {
        auto known = offsets_.find(text);
        if (known != offsets_.end())
            return known->second;
        uint32_t at = (uint32_t)data.size();
        offsets_[text] = at;
        data.append(text.c_str(), text.size() + 1);
        return at;
    }

    std::string data = std::string(1, '\0');

  private:
    std::map<std::string, uint32_t> offsets_ = {{"", 0}};
};

template <typename T> static void append(std::string &out, const T &record) {
    out.append((const char *)&record, sizeof(record));
}

static void append_places(std::string &out, Strings &strings, const std::vector<Place> &places) {
    for (const Place &p : places)
        append(out, mod_export{strings.add(p.name), p.section, p.offset, p.size});
}

/* Table and contents of the sections; `base` is where contents begin. */
static void append_sections(std::string &table, std::string &contents, Strings &strings,
                            const ObjectParts &parts, size_t base) {
    for (const Section &s : parts.sections) {
        uint32_t at = 0;
        if (!(s.flags & MOD_SECTION_NOBITS)) {
            size_t end = base + contents.size();
            contents.append((s.align - end % s.align) % s.align, '\0');
            at = (uint32_t)(base + contents.size());
            contents += s.data;
        }
        append(table, mod_section{strings.add(s.name), s.flags, s.align, at,
                                  (uint32_t)s.data.size(), s.mem_size});
    }
}

static struct mod_header header(const ObjectParts &parts, const Request &request) {
    struct mod_header h = {};
    h.magic = MOD_MAGIC;
    h.version_major = MOD_VERSION_MAJOR;
    h.version_minor = MOD_VERSION_MINOR;
    h.header_size = sizeof(h);
    h.kernel_abi = request.kernel_abi;
    h.machine = request.machine;
    h.cpu_bits = request.cpu_bits;
    memcpy(h.name, request.name.data(), request.name.size());
    memcpy(h.target, request.target.data(), request.target.size());
    h.rank = request.rank;
    h.section_count = (uint32_t)parts.sections.size();
    h.reloc_count = (uint32_t)parts.relocs.size();
    h.export_count = (uint32_t)parts.exports.size();
    h.import_count = (uint32_t)parts.imports.size();
    h.symbol_count = (uint32_t)parts.symbols.size();
    h.section_off = sizeof(h);
    h.reloc_off = h.section_off + h.section_count * (uint32_t)sizeof(struct mod_section);
    h.export_off = h.reloc_off + h.reloc_count * (uint32_t)sizeof(struct mod_reloc);
    h.import_off = h.export_off + h.export_count * (uint32_t)sizeof(struct mod_export);
    h.symbol_off = h.import_off + h.import_count * (uint32_t)sizeof(struct mod_import);
    h.string_off = h.symbol_off + h.symbol_count * (uint32_t)sizeof(struct mod_symbol);
    memcpy(h.source, request.source, sizeof(h.source));
    return h;
}

std::string write_mod(const ObjectParts &parts, const Request &request) {
    struct mod_header h = header(parts, request);
    Strings strings;
    for (const Section &s : parts.sections)
        strings.add(s.name); // in front, as there
    std::string exports, imports, symbols, table, contents;
    append_places(exports, strings, parts.exports);
    for (const std::string &name : parts.imports)
        append(imports, mod_import{strings.add(name)});
    append_places(symbols, strings, parts.symbols);
    h.string_size = (uint32_t)strings.data.size();
    append_sections(table, contents, strings, parts, h.string_off + h.string_size);

    std::string out(sizeof(h), '\0');
    out += table;
    for (const struct mod_reloc &r : parts.relocs)
        append(out, r);
    out += exports + imports + symbols + strings.data + contents;
    h.file_size = (uint32_t)out.size();
    memcpy(&out[0], &h, sizeof(h));
    auto digest = llvm::SHA256::hash(llvm::ArrayRef((const uint8_t *)out.data(), out.size()));
    memcpy(&out[offsetof(struct mod_header, sha256)], digest.data(), digest.size());
    return out;
}

} // namespace jit
