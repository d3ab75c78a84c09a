/* elf_object.h - a relocatable ELF object, reduced to what a .mod keeps.
 *
 * The same rules as in site_scons/fluid/elfobject.py; tests/host/test_jit_writer.py compares the
 * two on every module of the tree. */
#ifndef JIT_ELF_OBJECT_H
#define JIT_ELF_OBJECT_H

#include <string>
#include <vector>

#include "request.h"

namespace jit {

struct Section {
    std::string name;
    uint32_t flags; // MOD_SECTION_*
    uint32_t align;
    std::string data; // empty for MOD_SECTION_NOBITS
    uint32_t mem_size;
};

/* A place with a name: an export or a function. */
struct Place {
    std::string name;
    uint32_t section, offset, size;
};

struct ObjectParts {
    std::vector<Section> sections;
    std::vector<struct mod_reloc> relocs;
    std::vector<Place> exports;       // sorted by name
    std::vector<std::string> imports; // sorted
    std::vector<Place> symbols;       // functions, sorted by section, offset, name
};

/* Refuses what cannot become a module (JIT_BAD_OBJECT). */
ObjectParts read_object(const std::string &object, const Request &request);

} // namespace jit
#endif
