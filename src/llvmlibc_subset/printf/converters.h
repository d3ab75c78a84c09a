/* converters.h - the conversions of printf: llvm-libc's, but for two errors of LLVM 19.1 (C17
 * 7.21.6.1).
 *
 * convert_string looks for the NUL before it looks at the precision, so that "%.*s" reads behind
 * text without one. Ours stands in its place.
 *
 * convert_int takes %hhd of 200, and on i686 %zd of -1, for positive. Ours makes the value what the
 * length modifier says before it. */
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

#define convert_int convert_wide_int
#include "src/stdio/printf_core/int_converter.h"
#undef convert_int

namespace LIBC_NAMESPACE_DECL {
namespace printf_core {

LIBC_INLINE intmax_t sign_extended(const FormatSection &section) {
    switch (section.length_modifier) {
    case LengthModifier::hh:
        return static_cast<signed char>(section.conv_val_raw);
    case LengthModifier::h:
        return static_cast<short>(section.conv_val_raw);
    case LengthModifier::none:
        return static_cast<int>(section.conv_val_raw);
    case LengthModifier::l:
        return static_cast<long>(section.conv_val_raw);
    case LengthModifier::z:
    case LengthModifier::t:
        return static_cast<ptrdiff_t>(section.conv_val_raw);
    default:
        return static_cast<intmax_t>(section.conv_val_raw);
    }
}

LIBC_INLINE int convert_int(Writer *writer, const FormatSection &section) {
    FormatSection extended = section;
    if (section.conv_name == 'd' || section.conv_name == 'i')
        extended.conv_val_raw = sign_extended(section);
    return convert_wide_int(writer, extended);
}

} // namespace printf_core
} // namespace LIBC_NAMESPACE_DECL

#include "src/stdio/printf_core/ptr_converter.h"

#endif
