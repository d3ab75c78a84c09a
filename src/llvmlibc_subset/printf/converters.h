/* converters.h - the conversions of printf: llvm-libc's, but %s.
 *
 * Its convert_string (LLVM 19.1) looks for the NUL before it looks at the precision, so that "%.*s"
 * reads behind text without one: C17 7.21.6.1 wants no more than `precision` bytes looked at. */
#ifndef LLVMLIBC_SUBSET_PRINTF_CONVERTERS_H
#define LLVMLIBC_SUBSET_PRINTF_CONVERTERS_H

#define LLVM_LIBC_SRC_STDIO_PRINTF_CORE_STRING_CONVERTER_H /* ours is in its place */

#include "src/__support/CPP/string_view.h"
#include "src/stdio/printf_core/converter_utils.h"
#include "src/stdio/printf_core/core_structs.h"
#include "src/stdio/printf_core/writer.h"

namespace LIBC_NAMESPACE_DECL {
namespace printf_core {

LIBC_INLINE int convert_string(Writer *writer, const FormatSection &section) {
    const char *text = static_cast<const char *>(section.conv_val_ptr);
    if (text == nullptr)
        text = "(null)";
    size_t length = 0;
    while ((section.precision < 0 || length < static_cast<size_t>(section.precision)) &&
           text[length] != '\0')
        length++;
    size_t width = section.min_width > 0 ? static_cast<size_t>(section.min_width) : 0;
    size_t padding = width > length ? width - length : 0;
    bool left = (section.flags & FormatFlags::LEFT_JUSTIFIED) != 0;
    if (padding > 0 && !left)
        RET_IF_RESULT_NEGATIVE(writer->write(' ', padding));
    RET_IF_RESULT_NEGATIVE(writer->write({text, length}));
    if (padding > 0 && left)
        RET_IF_RESULT_NEGATIVE(writer->write(' ', padding));
    return WRITE_OK;
}

} // namespace printf_core
} // namespace LIBC_NAMESPACE_DECL

#include "src/stdio/printf_core/char_converter.h"
#include "src/stdio/printf_core/int_converter.h"
#include "src/stdio/printf_core/ptr_converter.h"

#endif
