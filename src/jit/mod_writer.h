/* mod_writer.h - the .mod file of an object's parts. */
#ifndef JIT_MOD_WRITER_H
#define JIT_MOD_WRITER_H

#include "elf_object.h"

namespace jit {

/* The bytes that site_scons/fluid/modfile.py's pack() makes of the same parts. It needs the
 * request's features, all of them; it has no bitcode. */
std::string write_mod(const ObjectParts &parts, const Request &request);

} // namespace jit
#endif
